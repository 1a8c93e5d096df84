use super::*;
use ndarray::{Array2, ArrayView2, Axis};

/// A made-up mixture over made-up rows.
struct Made {
    columns: Vec<String>,
    centres: Array2<f64>,
    shares: Vec<f64>,
    is_mixture: bool,
}

impl Made {
    fn new(k: usize, d: usize, is_mixture: bool) -> Self {
        let centres = Array2::from_shape_fn((k, d), |(c, j)| (((c + 1) * (j + 3)) % 17) as f64);
        Self {
            columns: (0..d).map(|j| format!("column {j}")).collect(),
            centres,
            shares: vec![1.0 / k as f64; k],
            is_mixture,
        }
    }

    fn row(&self, i: usize, j: usize) -> f64 {
        self.centres[[i % self.centres.nrows(), j]] + ((i * (j + 7)) as f64).sin()
    }

    fn html(&self, n: usize, hostile: &str) -> Result<String, PageError> {
        let (k, d) = self.centres.dim();
        let covariance = |_: usize, basis: ArrayView2<f64>| basis.dot(&basis.t());
        let groups = Groups {
            columns: &self.columns,
            centres: self.centres.view(),
            shares: &self.shares,
            noise: false,
            covariance: self.is_mixture.then_some(&covariance),
            degrees: None,
        };
        let mut survey = Survey::new(d, 1);
        let chunk = 20_000;
        let rows = |start: usize| Array2::from_shape_fn((chunk.min(n - start), d), |(i, j)| self.row(start + i, j));
        (0..n).step_by(chunk).for_each(|start| survey.add(rows(start).view(), None));
        let drawn = survey.drawn();
        let axes = Axes::new(&survey, &drawn, &groups)?;
        let mut tally = Tally::new(&axes, &groups);
        for start in (0..n).step_by(chunk) {
            let labels: Vec<usize> = (start..n.min(start + chunk)).map(|i| i % k).collect();
            let doubts: Vec<f64> = labels.iter().map(|label| *label as f64 / (2 * k) as f64).collect();
            let said = Labelled { labels: &labels, doubts: self.is_mixture.then_some(&doubts[..]) };
            tally.add(&axes, rows(start).view(), None, said);
        }
        let labels: Vec<usize> = drawn.numbers.iter().map(|number| *number as usize % k).collect();
        let mut near = if self.is_mixture { Near::probabilities(k) } else { Near::distances(k) };
        let each = Array2::from_shape_fn((drawn.numbers.len(), k), |(i, c)| 1.0 / (1 + (i + c) % k) as f64);
        near.add(each.view());
        let trace: Vec<f64> = (0..5000).map(|i| -1.0 / f64::from(i + 1)).collect();
        let text = vec![hostile.to_string()];
        let head = vec![hostile.to_string(), "bic".to_string()];
        let fits: Vec<(Vec<String>, bool)> =
            (1..9).map(|k| (vec![k.to_string(), hostile.to_string()], k == 3)).collect();
        Report {
            title: hostile,
            data: hostile,
            is_mixture: self.is_mixture,
            words: &text,
            warnings: &text,
            figures: &[(hostile.to_string(), hostile.to_string())],
            groups,
            survey: &survey,
            drawn: &drawn,
            axes: &axes,
            tally: &tally,
            labels: &labels,
            near: &near,
            trace: (hostile, &trace),
            silhouette: Some((0.5, 100)),
            selection: Some(Selection { caption: hostile, head: &head, rows: &fits }),
            command: (hostile, Some(hostile)),
            page_command: hostile,
            names: None,
        }
        .to_html()
    }
}

#[test]
fn a_report_is_one_file_that_loads_nothing() {
    for is_mixture in [true, false] {
        let html = Made::new(3, 4, is_mixture).html(500, "plain").unwrap();
        for loads in ["http:", "https:", "//www", " src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
            assert!(!html.contains(loads), "{loads}");
        }
        assert!(html.contains("Points are all 500 rows."));
        assert_eq!(html.contains("id=\"matrices\""), is_mixture);
    }
}

#[test]
fn names_that_are_markup_stay_text() {
    let hostile = "</script><script>alert('x')</script><img onerror=alert(1)>\"'&";
    let mut made = Made::new(2, 3, true);
    let scripts = made.html(300, "plain").unwrap().matches("<script").count();
    made.columns = vec![hostile.to_string(); 3];
    let html = made.html(300, hostile).unwrap();
    assert_eq!(html.matches("<script").count(), scripts);
    assert_eq!(html.matches("</script").count(), scripts);
    assert!(!html.contains("<img"));
    assert!(html.contains("&lt;img onerror=alert(1)&gt;&quot;&#39;&amp;"));
}

#[test]
fn a_million_rows_make_a_page_of_less_than_two_megabytes() {
    let html = Made::new(12, 10, true).html(1_000_000, "x").unwrap();
    assert!(html.len() < 2_000_000, "{}", html.len());
    assert!(html.contains("Points are 4000 of 1000000 rows, drawn at random"));
}

#[test]
fn many_components_of_many_columns_make_such_a_page_too() {
    for (k, d, n) in [(256, 784, 6000), (2000, 30, 6000), (3, 5000, 400)] {
        let html = Made::new(k, d, true).html(n, "x").unwrap();
        assert!(html.len() < 2_000_000, "{k} {d}: {}", html.len());
        assert!(html.contains(&format!("Of {d} columns the 10 are offered in which the centres lie farthest apart")));
    }
}

#[test]
fn the_density_is_that_of_all_rows() {
    let made = Made::new(2, 2, false);
    let groups = Groups {
        columns: &made.columns,
        centres: made.centres.view(),
        shares: &made.shares,
        noise: false,
        covariance: None,
        degrees: None,
    };
    let rows = Array2::from_shape_fn((9000, 2), |(i, j)| made.row(i, j));
    let weights: Vec<f64> = (0..9000).map(|i| (i % 3) as f64).collect();
    let mut survey = Survey::new(2, 1);
    survey.add(rows.view(), Some(&weights));
    let axes = Axes::new(&survey, &survey.drawn(), &groups).unwrap();
    let labels: Vec<usize> = (0..9000).map(|i| i % 2).collect();
    let (mut whole, mut parts) = (Tally::new(&axes, &groups), Tally::new(&axes, &groups));
    whole.add(&axes, rows.view(), Some(&weights), Labelled { labels: &labels, doubts: None });
    for (start, end) in [(0, 1000), (1000, 9000)] {
        let said = Labelled { labels: &labels[start..end], doubts: None };
        parts.add(&axes, rows.slice_axis(Axis(0), (start..end).into()), Some(&weights[start..end]), said);
    }
    assert_eq!(whole.density(0), parts.density(0));
    assert_eq!((whole.sizes(), whole.weight), (&[3000, 3000][..], 9000.0));
    assert_eq!(whole.density(0).iter().max(), Some(&255));
    // Each cluster's rows are its centre and a sine.
    let deviation = whole.deviation(0, 0).unwrap();
    assert!((deviation - 0.5f64.sqrt()).abs() < 0.02, "{deviation}");
}

#[test]
fn parts_that_disagree_are_an_error() {
    let mut made = Made::new(2, 3, true);
    assert!(matches!(made.html(0, "x"), Err(PageError::NoRows)));
    made.shares.push(0.1);
    assert!(matches!(made.html(100, "x"), Err(PageError::Count { what: "shares", expected: 2, got: 3 })));
}
