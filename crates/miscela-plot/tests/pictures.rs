//! Pictures are what they claim to be, hold what was given, and refuse what cannot be drawn.

use miscela_plot::{
    Clusters, Curve, Curves, ImageFormat, Picture, PlotError, Silhouettes, draw, draw_grid, draw_trace,
};
use ndarray::{Array2, Array3, Axis, array};
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
    assert_eq!(lines(&mixture), (3, 6), "ellipses of one, two and three standard deviations for each component");
    for text in ["x0", "x1", "0 (30)", "2 (30)"] {
        assert!(texts(&svg).contains(&text.to_string()), "{text}");
    }
}

/// The bytes of an SVG, and the seconds that it took.
fn timed(clusters: &Clusters) -> (String, f64) {
    let clock = std::time::Instant::now();
    let svg = Picture::clusters(clusters).unwrap().to_svg();
    (svg, clock.elapsed().as_secs_f64())
}

#[test]
fn many_points_are_shades_of_bounded_size_and_no_cluster_is_lost() {
    for d in [1, 2, 6, 12] {
        let mut data = data(1_000_000, 5, d);
        // Not on a lattice, and a cluster of a single row.
        data.points.indexed_iter_mut().for_each(|((i, j), x)| *x += (i as f64 * (j + 1) as f64 * 0.7).sin() * 9.0);
        data.labels.iter_mut().for_each(|label| *label %= 4);
        data.labels[77] = 4;
        data.points.row_mut(77).fill(-60.0);
        let (svg, seconds) = timed(&data.mixture());
        assert!(svg.len() < 2_000_000, "{d} columns: {} bytes", svg.len());
        assert!(seconds < 60.0, "{d} columns: {seconds} s");
        println!("{d} columns: {} bytes, {seconds:.2} s", svg.len());
        assert!(texts(&svg).contains(&"4 (1)".to_string()));
        if d > 1 {
            assert!(count(&svg, "circle") < 1000 && svg.contains("Shades:"));
        }
    }
}

#[test]
fn many_components_are_few_bytes_too() {
    for (k, d, n) in [(50, 2, 5000), (50, 6, 400), (50, 6, 100_000), (50, 2, 100_000), (50, 9, 1000)] {
        let mut data = data(n, k, d);
        data.points.indexed_iter_mut().for_each(|((i, j), x)| *x = (i as f64 * (j + 1) as f64 * 0.37).sin() * 300.0);
        data.centres.indexed_iter_mut().for_each(|((i, j), x)| *x = (i as f64 * (j + 1) as f64 * 0.77).sin() * 300.0);
        let (svg, _) = timed(&data.mixture());
        assert!(svg.len() < 2_000_000, "{k} components, {d} columns: {} bytes", svg.len());
        println!("{k} components, {d} columns: {} bytes", svg.len());
    }
}

#[test]
fn up_to_six_columns_are_pairs_and_more_the_principal_plane() {
    let six = data(40, 2, 6);
    let svg = Picture::clusters(&six.mixture().title("Six")).unwrap().to_svg();
    assert_eq!(count(&svg, "circle"), 15 * (40 + 2 * 3) + 2);
    assert!(texts(&svg).contains(&"Six".to_string()) && texts(&svg).contains(&"x5".to_string()));
    let seven = data(40, 2, 7);
    let svg = Picture::clusters(&seven.mixture().note("first of all")).unwrap().to_svg();
    assert_eq!(count(&svg, "circle"), 40 + 2 * 3 + 2);
    assert!(texts(&svg).iter().any(|text| text.starts_with("PC1 (")), "{:?}", texts(&svg));
    assert!(svg.contains("first of all. The plane of the two leading principal components of 7 columns."));
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
fn rows_of_weight_zero_are_not_there() {
    for d in [1, 2, 4, 8] {
        let all = data(60, 3, d);
        let mut more = Array2::zeros((90, d));
        more.slice_axis_mut(Axis(0), (0..60).into()).assign(&all.points);
        more.slice_axis_mut(Axis(0), (60..90).into()).fill(1e6);
        let labels: Vec<usize> = all.labels.iter().copied().chain([0; 30]).collect();
        let weights: Vec<f64> = (0..90).map(|i| if i < 60 { 1.0 } else { 0.0 }).collect();
        let fewer = Picture::clusters(&all.mixture()).unwrap().to_svg();
        let with = Clusters::new(more.view(), &labels, all.centres.view()).covariances(all.covariances.view());
        assert_eq!(Picture::clusters(&with.row_weights(&weights)).unwrap().to_svg(), fewer, "{d} columns");
    }
}

#[test]
fn weights_are_seen() {
    let data = data(60, 2, 2);
    let weights: Vec<f64> = (0..60).map(|i| if i == 7 { 9.0 } else { 1.0 }).collect();
    let svg = Picture::clusters(&data.clusters().row_weights(&weights)).unwrap().to_svg();
    let document = Document::parse(&svg).unwrap();
    let mut radii: Vec<f64> = document.descendants().filter_map(|node| node.attribute("r")?.parse().ok()).collect();
    // The largest point has nearly three times the radius of the others.
    radii.sort_by(f64::total_cmp);
    assert_eq!(radii.last(), Some(&8.8));
    assert!(texts(&svg).contains(&"1 (30)".to_string()), "the legend counts rows");
}

#[test]
fn a_far_outlier_is_pointed_to_and_the_rest_stays_large() {
    for d in [1, 2, 3, 7] {
        let mut data = data(90, 3, d);
        data.points[(5, 0)] = 1e15;
        let svg = Picture::clusters(&data.mixture()).unwrap().to_svg();
        assert!(texts(&svg).join(" ").contains("One row lies far beyond the axes."), "{d} columns: {:?}", texts(&svg));
        // The other rows are spread out, not in a heap.
        let document = Document::parse(&svg).unwrap();
        let places: std::collections::BTreeSet<_> =
            document.descendants().filter_map(|node| node.attribute("cx")).collect();
        assert!(d == 1 || places.len() > 40, "{d} columns: {}", places.len());
    }
}

#[test]
fn regions_are_where_the_labels_are() {
    let points = array![[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]];
    let centres = array![[2.0, 5.0], [8.0, 5.0]];
    let left = |at: ndarray::ArrayView2<f64>| at.rows().into_iter().map(|at| Some(usize::from(at[0] > 5.0))).collect();
    let labels = [0, 1, 0, 1];
    let clusters = Clusters::new(points.view(), &labels, centres.view());
    let svg = Picture::clusters(&clusters.regions(&left)).unwrap().to_svg();
    let document = Document::parse(&svg).unwrap();
    let areas: Vec<_> = document
        .descendants()
        .filter(|node| {
            node.has_tag_name(("http://www.w3.org/2000/svg", "path")) && node.attribute("fill") != Some("none")
        })
        .filter_map(|node| node.attribute("d"))
        .collect();
    assert_eq!(areas.len(), 2);
    // Two rectangles that share an edge: each has five corners at most, the border in two or three straight parts.
    for area in areas {
        assert!(area.matches(['M', 'L', 'H', 'V']).count() <= 6, "{area}");
    }
    let circle = |at: ndarray::ArrayView2<f64>| {
        at.rows()
            .into_iter()
            .map(|at| (at[0] > 1.0).then(|| usize::from(f64::hypot(at[0] - 5.0, at[1] - 5.0) < 3.0)))
            .collect()
    };
    let svg = Picture::clusters(&clusters.regions(&circle)).unwrap().to_svg();
    assert!(svg.len() < 40_000, "{}", svg.len());
    let one = |at: ndarray::ArrayView2<f64>| vec![Some(1); at.nrows()];
    let plain = Picture::clusters(&clusters).unwrap().to_svg();
    assert_eq!(Picture::clusters(&clusters.regions(&one)).unwrap().to_svg(), plain, "one region is no region");

    let short = |_: ndarray::ArrayView2<f64>| vec![];
    assert!(complaint(&clusters.regions(&short)).contains("0 labels of regions where"));
    let beyond = |at: ndarray::ArrayView2<f64>| vec![Some(2); at.nrows()];
    assert_eq!(
        complaint(&clusters.regions(&beyond)),
        "2 is no label of 2 clusters; regions are labelled by numbers below k, and k for noise where there is some"
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let data = data(200, 4, 2);
    let label = |at: ndarray::ArrayView2<f64>| at.rows().into_iter().map(|at| Some(at[0] as usize / 50 % 4)).collect();
    let picture = || Picture::clusters(&data.mixture().regions(&label)).unwrap();
    assert_eq!(picture().to_svg(), picture().to_svg());
    assert_eq!(picture().to_png().unwrap(), picture().to_png().unwrap());
}

#[test]
fn a_sample_says_the_sizes_of_all() {
    let data = data(30, 2, 2);
    let svg = Picture::clusters(&data.clusters().sizes(&[700, 300])).unwrap().to_svg();
    assert!(texts(&svg).contains(&"0 (700)".to_string()));
    assert!(complaint(&data.clusters().sizes(&[700])).contains("1 sizes where 2"));
}

#[test]
fn components_that_lost_their_rows_are_not_drawn() {
    for d in [1, 2, 4] {
        let data = data(60, 3, d);
        let labels: Vec<usize> = data.labels.iter().map(|label| label % 2).collect();
        let lines = |weights: &[f64]| {
            let clusters = Clusters::new(data.points.view(), &labels, data.centres.view());
            let clusters = clusters.covariances(data.covariances.view()).weights(weights);
            Picture::clusters(&clusters).unwrap().to_svg().matches("stroke-width=\"1.8\"").count()
        };
        assert!(lines(&[0.6, 0.399, 0.001]) < lines(&[0.6, 0.3, 0.1]), "{d} columns");
    }
}

#[test]
fn students_components_have_wider_ellipses() {
    let data = data(90, 3, 2);
    let normal = Picture::clusters(&data.mixture()).unwrap().to_svg();
    let student = Picture::clusters(&data.mixture().degrees(&[3.0, 3.0, 1e9])).unwrap().to_svg();
    let says = |svg: &str| texts(svg).join(" ").contains("39, 86 and 99 %");
    assert!(says(&student) && !says(&normal), "{:?}", texts(&student));
    assert!(complaint(&data.mixture().degrees(&[3.0])).contains("1 degrees of freedom where 3"));
    assert!(complaint(&data.mixture().degrees(&[3.0, -1e300, 1.0])).contains("component 1 has -1e300 degrees"));
}

#[test]
fn curves_have_their_lines_and_the_best_is_marked() {
    let line = |name: &str, slope: f64| Curve::new(name, (1..=5).map(|k| (k, slope * (k as f64 - 3.0).powi(2))));
    let curves = Curves::new().panel("BIC", [line("EII", 1.0), line("VVV", 2.0)]).best(3, 1).title("Selection");
    let svg = Picture::curves(&curves).unwrap().to_svg();
    for text in ["Selection", "BIC", "number of clusters", "EII", "VVV (best: 3)"] {
        assert!(texts(&svg).contains(&text.to_string()), "{text}: {:?}", texts(&svg));
    }
    let gap = Curve::new("gap", [(1, 0.1), (2, 0.5)]).errors([(1, 0.01), (2, 0.02)]);
    let three = Curves::new().panel("inertia", [line("", -1.0)]).panel("gap", [gap]).panel("none", [Curve::default()]);
    let svg = Picture::curves(&three.note("what failed is left out")).unwrap().to_svg();
    assert!(svg.contains("what failed is left out.") && !texts(&svg).contains(&"none".to_string()));
    assert!(matches!(Picture::curves(&Curves::new()), Err(PlotError::Nothing(_))));
    let bad = Curves::new().panel("y", [Curve::new("a", [(1, f64::NAN)])]);
    assert!(matches!(Picture::curves(&bad), Err(PlotError::NotFinite { .. })));
}

#[test]
fn silhouettes_are_sorted_and_many_are_few_bytes() {
    let labels: Vec<usize> = (0..1_000_000).map(|i| i % 3).collect();
    let values: Vec<f64> = (0..1_000_000).map(|i| f64::from(i as u32).sin()).collect();
    let svg = Picture::silhouettes(&Silhouettes::new(&values, &labels).mean(0.25)).unwrap().to_svg();
    assert!(svg.len() < 60_000, "{}", svg.len());
    assert!(svg.contains("mean of all rows, 0.250."));
    assert!(texts(&svg).iter().any(|text| text.starts_with("2: ") && text.ends_with("(333333)")), "{:?}", texts(&svg));
    assert!(Picture::silhouettes(&Silhouettes::new(&[], &[])).is_err());
    assert!(Picture::silhouettes(&Silhouettes::new(&[0.5], &[])).is_err());
    assert!(Picture::silhouettes(&Silhouettes::new(&[f64::INFINITY], &[0])).is_err());
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
    assert!(complaint(&good.clusters().row_weights(&[1.0])).contains("1 weights of rows where 4"));
    assert!(complaint(&good.clusters().row_weights(&[1.0, -1.0, 0.0, 0.0])).contains("weight of row 1 is -1"));
    assert!(complaint(&good.clusters().row_weights(&[0.0; 4])).contains("no points to draw"));
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
fn constant_columns_equal_rows_and_offsets_are_drawn() {
    for d in [1, 2, 3, 9] {
        for n in [2, 40, 30_000] {
            let points = Array2::from_shape_fn((n, d), |(i, j)| 1e12 + if j == 1 { (i % 7) as f64 } else { 0.0 });
            let labels = vec![0; n];
            let centres = points.slice_axis(Axis(0), (0..1).into()).to_owned();
            let picture = Picture::clusters(&Clusters::new(points.view(), &labels, centres.view())).unwrap();
            let svg = picture.to_svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(picture.to_png().is_ok());
        }
    }
}

#[test]
fn constant_columns_single_rows_and_singular_covariances_are_drawn() {
    for d in [1, 2, 3, 8] {
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
