//! Pictures are what they claim to be, hold what was given, and refuse what cannot be drawn.

use miscela_plot::{Clusters, ImageFormat, Picture, PlotError, draw, draw_grid, draw_trace};
use ndarray::{Array2, Array3, array};
use roxmltree::Document;
use std::fs;

/// n rows in k clusters by turns, and their covariances.
struct Data {
    points: Array2<f64>,
    labels: Vec<usize>,
    centres: Array2<f64>,
    covariances: Array3<f64>,
}

fn data(n: usize, k: usize, d: usize) -> Data {
    let points = Array2::from_shape_fn((n, d), |(i, j)| ((i * 31 + j * 17) % 101) as f64 + (i % k) as f64 * 50.0);
    let centres = Array2::from_shape_fn((k, d), |(c, _)| 50.0 * (c + 1) as f64);
    let covariances = Array3::from_shape_fn((k, d, d), |(_, i, j)| if i == j { 400.0 } else { 100.0 });
    Data { points, labels: (0..n).map(|i| i % k).collect(), centres, covariances }
}

impl Data {
    fn clusters(&self) -> Clusters<'_> {
        Clusters::new(self.points.view(), &self.labels, self.centres.view())
    }

    fn mixture(&self) -> Clusters<'_> {
        self.clusters().covariances(self.covariances.view())
    }
}

fn count(svg: &str, tag: &str) -> usize {
    Document::parse(svg)
        .unwrap()
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", tag)))
        .count()
}

fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
        .filter_map(|node| node.text().map(String::from))
        .collect()
}

/// The numbers of bold lines and of dashed ones.
fn lines(svg: &str) -> (usize, usize) {
    let document = Document::parse(svg).unwrap();
    let bold = document.descendants().filter(|node| node.attribute("stroke-width") == Some("1.8")).count();
    (bold, document.descendants().filter(|node| node.has_attribute("stroke-dasharray")).count())
}

#[test]
fn every_point_and_centre_is_there_once() {
    let data = data(90, 3, 2);
    let svg = Picture::clusters(&data.clusters()).unwrap().to_svg();
    // A centre is three discs; the legend has one for each cluster.
    assert_eq!(count(&svg, "circle"), 90 + 3 * 3 + 3);
    assert_eq!(lines(&svg), (0, 0));
    let mixture = Picture::clusters(&data.mixture()).unwrap().to_svg();
    assert_eq!(count(&mixture, "circle"), 90 + 3 * 3 + 3);
    assert_eq!(lines(&mixture), (3, 3), "an ellipse of one and one of two standard deviations for each component");
    for text in ["x0", "x1", "0 (30)", "2 (30)"] {
        assert!(texts(&svg).contains(&text.to_string()), "{text}");
    }
}

#[test]
fn many_points_are_thinned_out_and_no_cluster_is_lost() {
    // The clusters take turns, and the number of rows is a multiple of the number of points drawn.
    let data = data(200_000, 5, 2);
    let svg = Picture::clusters(&data.clusters()).unwrap().to_svg();
    assert_eq!(count(&svg, "circle"), 20_000 + 5 * 3 + 5);
    assert!(svg.len() < 1_200_000, "{}", svg.len());
    let document = Document::parse(&svg).unwrap();
    let groups: Vec<_> = document.descendants().filter(|node| node.has_attribute("fill-opacity")).collect();
    for fill in ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00"] {
        let drawn: usize = groups
            .iter()
            .filter(|group| group.attribute("fill") == Some(fill))
            .map(|group| group.children().filter(roxmltree::Node::is_element).count())
            .sum();
        assert!((3_500..4_500).contains(&drawn), "{fill}: {drawn}");
    }
}

#[test]
fn pairs_show_the_first_six_columns_and_say_so() {
    let data = data(40, 2, 8);
    let svg = Picture::clusters(&data.mixture().title("Eight")).unwrap().to_svg();
    assert_eq!(count(&svg, "circle"), 15 * (40 + 2 * 3) + 2);
    assert!(texts(&svg).contains(&"Eight (first 6 of 8 columns)".to_string()));
    assert!(texts(&svg).contains(&"x5".to_string()) && !texts(&svg).contains(&"x6".to_string()));
}

#[test]
fn one_column_is_bars_and_densities() {
    let data = data(60, 2, 1);
    let plain = Picture::clusters(&data.clusters()).unwrap().to_svg();
    let mixture = Picture::clusters(&data.mixture().weights(&[0.3, 0.7])).unwrap().to_svg();
    assert_eq!(lines(&plain), (0, 0));
    assert_eq!(lines(&mixture), (2, 1), "two components and their sum");
    assert!(texts(&plain).contains(&"density".to_string()));
}

#[test]
fn a_grid_has_every_title_and_a_trace_every_value() {
    let data = data(30, 2, 2);
    let all: Vec<_> = ["k-means", "σ² = 1", "σ² = 0.1"].into_iter().map(|title| data.mixture().title(title)).collect();
    let svg = Picture::grid(&all).unwrap().to_svg();
    assert_eq!(count(&svg, "circle"), 3 * (30 + 2 * 3));
    for title in ["k-means", "σ² = 1", "σ² = 0.1"] {
        assert!(texts(&svg).contains(&title.to_string()));
    }
    let trace = Picture::trace(&[-3.0, -2.0, -1.5], "log-likelihood", "").unwrap().to_svg();
    assert_eq!(count(&trace, "circle"), 3);
    assert!(texts(&trace).contains(&"iteration".to_string()));
}

#[test]
fn any_text_is_well_formed() {
    let data = data(9, 3, 2);
    let names = ["<a & \"b\">".to_string(), "tab\tbell\u{7}日本".to_string()];
    let svg = Picture::clusters(&data.clusters().names(&names).title("]]> <svg>")).unwrap().to_svg();
    assert!(texts(&svg).contains(&"<a & \"b\">".to_string()));
    assert!(texts(&svg).contains(&"tab bell\u{fffd}日本".to_string()));
    assert!(Picture::clusters(&data.clusters().names(&names)).unwrap().to_png().is_ok());
}

#[test]
fn png_is_twice_the_size_and_not_blank() {
    let data = data(60, 3, 2);
    let picture = Picture::clusters(&data.mixture().title("t")).unwrap();
    let svg = picture.to_svg();
    let document = Document::parse(&svg).unwrap();
    let size = |name| document.root_element().attribute(name).and_then(|size| size.parse::<u32>().ok()).unwrap();
    let png = picture.to_png().unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (2 * size("width"), 2 * size("height")));
    assert!(png.len() > 20_000, "a blank picture would be smaller than {}", png.len());
}

#[test]
fn files_by_their_ending() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(30, 2, 2);
    let path = |name: &str| folder.path().join(name);
    draw(&data.clusters(), path("a.svg")).unwrap();
    draw_grid(&[data.clusters()], path("a.PNG")).unwrap();
    draw_trace(&[1.0], "inertia", "one value", path("b.png")).unwrap();
    assert!(fs::read_to_string(path("a.svg")).unwrap().ends_with("</svg>\n"));
    assert!(fs::read(path("a.PNG")).unwrap().starts_with(b"\x89PNG"));

    for name in ["a.pdf", "a", "svg"] {
        let error = draw(&data.clusters(), path(name)).unwrap_err();
        assert!(matches!(error, PlotError::UnknownEnding { .. }), "{error}");
        assert!(!path(name).exists());
    }
    assert!(matches!(draw(&data.clusters(), path("no/such/folder.svg")), Err(PlotError::Write(_))));
    assert_eq!(ImageFormat::of("a.Svg").unwrap(), ImageFormat::Svg);
}

/// The message for a clustering that cannot be drawn.
fn complaint(clusters: &Clusters) -> String {
    Picture::clusters(clusters).unwrap_err().to_string()
}

#[test]
fn rows_of_no_cluster_are_drawn_and_counted() {
    let data = data(90, 3, 2);
    let labels: Vec<usize> = (0..90).map(|i| i % 4).collect();
    let clusters = Clusters::new(data.points.view(), &labels, data.centres.view()).noise();
    let svg = Picture::clusters(&clusters.covariances(data.covariances.view())).unwrap().to_svg();
    assert!(texts(&svg).contains(&"noise (22)".to_string()), "{:?}", texts(&svg));
    let one = Clusters::new(data.points.view(), &labels, data.centres.view());
    assert!(complaint(&one).contains("label of row 3 is 3"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let good = data(4, 2, 2);
    let (points, centres) = (good.points.view(), good.centres.view());
    assert_eq!(
        complaint(&Clusters::new(points, &[0, 1], centres)),
        "there are 2 labels where 4 are expected; give one for each"
    );
    assert_eq!(
        complaint(&Clusters::new(points, &[0, 1, 2, 0], centres)),
        "the label of row 2 is 2, and there are 2 centres; labels count from 0"
    );
    let narrow = array![[1.0], [2.0]];
    assert!(complaint(&Clusters::new(points, &good.labels, narrow.view())).contains("1 columns of the centres"));
    let names = ["x".to_string()];
    assert!(complaint(&good.clusters().names(&names)).contains("1 names where 2"));
    assert!(complaint(&good.clusters().weights(&[1.0])).contains("1 weights where 2"));
    let covariances = Array3::zeros((2, 2, 3));
    assert!(complaint(&good.clusters().covariances(covariances.view())).contains("3 columns of a covariance"));
    let mut bad = good.points.clone();
    bad[(3, 1)] = f64::NAN;
    assert_eq!(
        complaint(&Clusters::new(bad.view(), &good.labels, centres)),
        "the points hold NaN at 3 (counted from 0); only finite numbers can be drawn"
    );
    let covariances = Array3::from_elem((2, 2, 2), f64::INFINITY);
    assert!(complaint(&good.clusters().covariances(covariances.view())).contains("the covariances hold inf at 0"));
    let none = Array2::zeros((0, 2));
    assert!(matches!(Picture::clusters(&Clusters::new(none.view(), &[], centres)), Err(PlotError::NoPoints)));
    let far = array![[-1.7e308, 0.0], [1.7e308, 0.0]];
    assert!(complaint(&Clusters::new(far.view(), &[0, 1], far.view())).contains("span more"));

    assert!(matches!(Picture::grid(&[]), Err(PlotError::Nothing(_))));
    assert!(matches!(Picture::trace(&[], "y", ""), Err(PlotError::Nothing(_))));
    assert!(matches!(Picture::trace(&[1.0, f64::NAN], "y", ""), Err(PlotError::NotFinite { row: 1, .. })));
    let tall = Picture::grid(&vec![good.clusters(); 250]).unwrap();
    assert!(matches!(tall.to_png(), Err(PlotError::TooLarge { .. })));
}

#[test]
fn constant_columns_single_rows_and_singular_covariances_are_drawn() {
    for d in [1, 2, 3] {
        let points = Array2::from_elem((1, d), 1e8);
        let covariances = Array3::zeros((1, d, d));
        let clusters = Clusters::new(points.view(), &[0], points.view()).covariances(covariances.view());
        let svg = Picture::clusters(&clusters).unwrap().to_svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn pictures_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Picture>();
    crosses::<PlotError>();
    crosses::<Clusters<'static>>();
}
