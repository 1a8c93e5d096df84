//! Who may ask what, and the answers.
//!
//! | asked | by | answer |
//! |---|---|---|
//! | `/TOKEN/` | GET | the page |
//! | `/TOKEN/start` | POST | the centres to start from, and what k-means makes of them |
//! | `/TOKEN/begin` | POST | the parameters that a mixture starts from at centres |
//! | `/TOKEN/expect` | POST | the E-step at parameters |
//! | `/TOKEN/maximise` | POST | the M-step after it |
//! | `/TOKEN/run` | POST | all iterations from centres on |
//!
//! Steps are asked for and answered in JSON. Whatever is wrong is told in one sentence: 403 for another host name (a page of
//! another site that had its name point here) or another token, 404, 405, 413 for more than [`MOST_BODY`], 408 for a body that does
//! not come, 400 for what is no such JSON, 422 for what the engine cannot do.

use super::token::Token;
use crate::error::PlayError;
use crate::settings::Settings;
use crate::steps::{Parameters, Reference, Start, Steps};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::timeout;

/// The most that a request may bring, in bytes.
const MOST_BODY: usize = 1 << 19;
/// A body that is not there by then is given up.
const BODY_TIME: Duration = Duration::from_secs(5);

const SAFE: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// The page, and what a request must know to see it.
#[derive(Debug)]
pub(super) struct Site {
    port: u16,
    token: Token,
    page: Bytes,
}

type Answer = Response<Full<Bytes>>;

/// A status and a sentence.
struct Refusal(StatusCode, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartRequest {
    points: Vec<[f64; 2]>,
    start: Start,
}

#[derive(Serialize)]
struct StartAnswer {
    centres: Vec<[f64; 2]>,
    k_means: Reference,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromCentres {
    points: Vec<[f64; 2]>,
    centres: Vec<[f64; 2]>,
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromParameters {
    points: Vec<[f64; 2]>,
    parameters: Parameters,
    settings: Settings,
}

impl Site {
    pub(super) fn new(port: u16, token: Token, page: String) -> Self {
        Self { port, token, page: page.into() }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token.digits())
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        match self.respond(request).await {
            Ok((kind, body)) => response(StatusCode::OK, kind, body),
            Err(Refusal(status, sentence)) => {
                let mut refusal = response(status, "text/plain; charset=utf-8", format!("{sentence}\n").into());
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    let allowed = if sentence.contains("GET") { "GET" } else { "POST" };
                    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
                }
                refusal
            }
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Result<(&'static str, Bytes), Refusal> {
        self.check_host(&request)?;
        let path = request.uri().path();
        let (token, asked) =
            path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), "?"));
        if !self.token.is(token) {
            return Err(refused(
                StatusCode::FORBIDDEN,
                "this page needs the address that miscela play printed, token and all",
            ));
        }
        let step: fn(&[u8]) -> Result<Vec<u8>, Refusal> = match asked {
            "" => {
                check_method(&request, Method::GET)?;
                return Ok(("text/html; charset=utf-8", self.page.clone()));
            }
            "start" => |body| {
                let StartRequest { points, start } = parsed(body)?;
                let steps = Steps::new(&points)?;
                let centres = steps.centres(start)?;
                json(&StartAnswer { k_means: steps.k_means(&centres)?, centres })
            },
            "begin" => |body| {
                let FromCentres { points, centres, settings } = parsed(body)?;
                json(&Steps::new(&points)?.start(&centres, &settings)?)
            },
            "expect" => |body| {
                let FromParameters { points, parameters, settings } = parsed(body)?;
                json(&Steps::new(&points)?.expect(&parameters, &settings)?)
            },
            "maximise" => |body| {
                let FromParameters { points, parameters, settings } = parsed(body)?;
                json(&Steps::new(&points)?.maximise(&parameters, &settings)?)
            },
            "run" => |body| {
                let FromCentres { points, centres, settings } = parsed(body)?;
                json(&Steps::new(&points)?.run(&centres, &settings)?)
            },
            _ => {
                return Err(refused(
                    StatusCode::NOT_FOUND,
                    "there is nothing here; the page is at the address that ends with a /",
                ));
            }
        };
        check_method(&request, Method::POST)?;
        Ok(("application/json", step(&body_of(request).await?)?.into()))
    }

    /// The name in the address is that of this machine: no other site's, whose name was made to lead here.
    fn check_host(&self, request: &Request<Incoming>) -> Result<(), Refusal> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).and_then(|host| host.rsplit_once(':'));
        let here = host
            .is_some_and(|(name, port)| ["127.0.0.1", "localhost"].contains(&name) && port.parse() == Ok(self.port));
        if here && hosts.next().is_none() {
            return Ok(());
        }
        Err(refused(
            StatusCode::FORBIDDEN,
            "this page is for this machine alone, by the address that miscela play printed",
        ))
    }
}

fn check_method(request: &Request<Incoming>, expected: Method) -> Result<(), Refusal> {
    if request.method() == expected {
        return Ok(());
    }
    Err(refused(StatusCode::METHOD_NOT_ALLOWED, &format!("this address is for {expected} requests")))
}

/// The whole body, if it is short enough and there in time.
async fn body_of(request: Request<Incoming>) -> Result<Bytes, Refusal> {
    let too_long = || {
        refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("a request may bring {MOST_BODY} bytes at most; draw fewer points"),
        )
    };
    let stated = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|length| length > MOST_BODY as u64) {
        return Err(too_long());
    }
    match timeout(BODY_TIME, Limited::new(request.into_body(), MOST_BODY).collect()).await {
        Err(_) => Err(refused(StatusCode::REQUEST_TIMEOUT, "the request did not come to its end in time")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_long()),
        Ok(Err(error)) => Err(refused(StatusCode::BAD_REQUEST, &format!("the request cannot be read: {error}"))),
    }
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let wrong = |error| refused(StatusCode::BAD_REQUEST, &format!("this is no step that can be asked for: {error}"));
    serde_json::from_slice(body).map_err(wrong)
}

fn json(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let wrong = |error| refused(StatusCode::INTERNAL_SERVER_ERROR, &format!("the answer cannot be written: {error}"));
    serde_json::to_vec(answer).map_err(wrong)
}

fn refused(status: StatusCode, sentence: &str) -> Refusal {
    Refusal(status, sentence.into())
}

impl From<PlayError> for Refusal {
    fn from(error: PlayError) -> Self {
        refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string())
    }
}

fn response(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in SAFE {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
