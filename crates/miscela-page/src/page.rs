//! A page as one string: markup, style, script and data.

use crate::colours;
use serde::Serialize;
use std::fmt::Write;

const STYLE: &str = include_str!("../assets/style.css");
const COMMON: &str = include_str!("../assets/common.js");

/// A page that is being put together.
///
/// It is told by a policy of its own (Content-Security-Policy) to load nothing, so that what it shows cannot leave it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    title: String,
    body: String,
    styles: String,
    data: String,
    scripts: String,
    calls_home: bool,
}

impl Page {
    /// An empty page; the title is text.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_string(), ..Self::default() }
    }

    /// Adds markup. Text in it must have gone through [`escape`].
    pub fn body(mut self, html: &str) -> Self {
        self.body += html;
        self
    }

    /// Adds rules to the style that all pages share.
    pub fn style(mut self, css: &str) -> Self {
        self.styles += css;
        self
    }

    /// Adds numbers and text for scripts, which find them by `Data.read(id)`. `id` is a plain word.
    ///
    /// # Errors
    ///
    /// [`PageError::Json`] if `data` cannot be written as JSON.
    pub fn data(mut self, id: &str, data: &impl Serialize) -> Result<Self, PageError> {
        // A `<` occurs in strings only; without it nothing can end the script.
        let json = serde_json::to_string(data)?.replace('<', "\\u003c");
        let _ = writeln!(self.data, "<script type=\"application/json\" id=\"{}\">{json}</script>", escape(id));
        Ok(self)
    }

    /// Adds a script, which runs after the shared one when the page is there. It is trusted, and must not hold `</script`.
    pub fn script(mut self, js: &str) -> Self {
        let _ = writeln!(self.scripts, "<script>\n{js}</script>");
        self
    }

    /// Lets the scripts talk to the server that the page came from, and to no other.
    pub fn calls_home(self) -> Self {
        Self { calls_home: true, ..self }
    }

    /// The page.
    pub fn to_html(&self) -> String {
        let connect = if self.calls_home { " connect-src 'self';" } else { "" };
        let policy = format!(
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:;{connect} \
             base-uri 'none'; form-action 'none'"
        );
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{colours}{STYLE}{styles}</style>\n\
             </head>\n<body>\n{body}\n{data}<script>\n{COMMON}</script>\n{scripts}</body>\n</html>\n",
            title = escape(&self.title),
            colours = colours::variables(),
            styles = self.styles,
            body = self.body,
            data = self.data,
            scripts = self.scripts,
        )
    }
}

/// Text as markup that shows it, within elements and within quoted attributes.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, c| {
        match c {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            c => html.push(c),
        }
        html
    })
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// Something is no JSON.
    #[error("the numbers of the page cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// Two parts of a page disagree in size.
    #[error("there are {got} {what} where {expected} are expected; give one for each")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// There is nothing to show.
    #[error("there are no rows of positive weight to show, or no columns; give at least one")]
    NoRows,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOSTILE: &str = "</script><script>alert(1)</script><!-- \"'&";

    #[test]
    fn text_stays_text() {
        let page = Page::new(HOSTILE).body(&escape(HOSTILE)).data("d", &[HOSTILE]).unwrap().to_html();
        assert!(!page.contains("alert(1)</script>"));
        assert!(!page.contains("<!--"));
        assert_eq!(page.matches("</script>").count(), 2);
    }

    #[test]
    fn a_page_loads_nothing() {
        let page = Page::new("t").to_html();
        for loads in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!page.contains(loads), "{loads}");
        }
        assert!(page.contains("default-src 'none'") && !page.contains("connect-src"));
        assert!(Page::new("t").calls_home().to_html().contains("connect-src 'self'"));
    }

    proptest! {
        #[test]
        fn data_are_read_back_and_hold_no_markup(texts: Vec<String>) {
            let page = Page::new("t").data("texts", &texts).unwrap().to_html();
            let (_, rest) = page.split_once("id=\"texts\">").unwrap();
            let (json, _) = rest.split_once("</script>").unwrap();
            prop_assert!(!json.contains('<'));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(json).unwrap(), texts);
        }

        #[test]
        fn escaped_text_holds_no_markup(text: String) {
            let html = escape(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
            let back = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
            prop_assert_eq!(back.replace("&amp;", "&"), text);
        }
    }
}
