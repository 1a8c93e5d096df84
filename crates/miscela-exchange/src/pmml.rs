//! PMML 4.4 (Data Mining Group, 2019): k-means as a `ClusteringModel` of centres, for the scoring engines of databases and
//! data warehouses.
//!
//! Clusters have the ids `0`, `1`, … of miscela's labels, and their sizes; columns keep their names. `l2` is PMML's
//! `euclidean`, `l1` its `cityBlock`. Numbers are written so that they are read back bit for bit.
//!
//! **When not to use it.** Where the other tool runs [ONNX](crate::onnx), which takes every model and also says what mixtures think
//! of a row. Other distances, trimmed k-means, trees and mixtures have no place in a `ClusteringModel` of centres and are refused.
//! (PMML 4.4 has Gaussian mixtures nowhere.)

use crate::plain::{Centres, Parameters, Plain};
use crate::{ExchangeError, Format};
use miscela::AnyDistance;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::collections::HashSet;
use std::io;

pub(crate) fn encode(plain: &Plain) -> Result<Vec<u8>, ExchangeError> {
    let (centres, measure) = expressible(plain)?;
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(plain, centres, measure, &mut out)
        .map_err(|error| ExchangeError::Parameters(format!("the document cannot be written: {error}")))?;
    Ok(out.into_inner())
}

/// The centres and PMML's name for their distance.
fn expressible(plain: &Plain) -> Result<(&Centres, &'static str), ExchangeError> {
    let refused = |what: String, why| Err(ExchangeError::Inexpressible { format: Format::Pmml, what, why });
    let centres = match &plain.parameters {
        Parameters::Centres(centres) => centres,
        Parameters::Components(_) => return refused("a mixture".into(), "it knows centres only; write .onnx"),
    };
    if centres.tree.is_some() {
        return refused("a tree of clusters".into(), "rows go to the nearest of all centres there; write .onnx");
    }
    if centres.cutoff.is_some() {
        return refused("trimmed k-means".into(), "it leaves no row out; fit without trimming, or write .onnx");
    }
    let mut names = HashSet::new();
    // XML has no way to write other control characters.
    let is_writable = |name: &&String| !name.is_empty() && name.chars().all(|c| !c.is_control());
    if let Some(name) = plain.feature_names.iter().find(|name| !is_writable(name) || !names.insert(name.as_str())) {
        let why = "its columns need names that are not empty, without control characters, and each another; rename the column";
        return refused(format!("a column called {name:?}"), why);
    }
    match &centres.distance {
        AnyDistance::L2 => Ok((centres, "euclidean")),
        AnyDistance::SquaredL2 => Ok((centres, "squaredEuclidean")),
        AnyDistance::L1 => Ok((centres, "cityBlock")),
        other => refused(format!("k-means by {}", other.name()), "of these distances it knows l2 and l1; write .onnx"),
    }
}

fn write(plain: &Plain, centres: &Centres, measure: &str, out: &mut Writer<Vec<u8>>) -> io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = out.create_element("PMML").with_attribute(("version", "4.4"));
    root.with_attribute(("xmlns", "http://www.dmg.org/PMML-4_4")).write_inner_content(|out| {
        out.create_element("Header").write_inner_content(|out| {
            let application = out.create_element("Application").with_attribute(("name", "miscela"));
            application.with_attribute(("version", env!("CARGO_PKG_VERSION"))).write_empty().map(drop)
        })?;
        let d = plain.n_features().to_string();
        let dictionary = out.create_element("DataDictionary").with_attribute(("numberOfFields", d.as_str()));
        dictionary.write_inner_content(|out| {
            let kind = if plain.narrow { "float" } else { "double" };
            plain.feature_names.iter().try_for_each(|name| {
                let field = out.create_element("DataField").with_attribute(("name", name.as_str()));
                let field = field.with_attribute(("optype", "continuous")).with_attribute(("dataType", kind));
                field.write_empty().map(drop)
            })
        })?;
        write_model(plain, centres, measure, out)
    })?;
    Ok(())
}

/// The elements in the order of the schema.
fn write_model(plain: &Plain, centres: &Centres, measure: &str, out: &mut Writer<Vec<u8>>) -> io::Result<()> {
    let k = centres.centroids.nrows().to_string();
    let model = out.create_element("ClusteringModel").with_attributes([
        ("modelName", plain.kind),
        ("functionName", "clustering"),
        ("modelClass", "centerBased"),
        ("numberOfClusters", k.as_str()),
    ]);
    model.write_inner_content(|out| {
        out.create_element("MiningSchema").write_inner_content(|out| {
            plain.feature_names.iter().try_for_each(|name| {
                out.create_element("MiningField").with_attribute(("name", name.as_str())).write_empty().map(drop)
            })
        })?;
        let comparison = out.create_element("ComparisonMeasure").with_attribute(("kind", "distance"));
        comparison.write_inner_content(|out| out.create_element(measure).write_empty().map(drop))?;
        for name in &plain.feature_names {
            let field = out.create_element("ClusteringField").with_attribute(("field", name.as_str()));
            field.with_attribute(("compareFunction", "absDiff")).write_empty()?;
        }
        let d = plain.n_features().to_string();
        for (c, (centre, size)) in centres.centroids.outer_iter().zip(&centres.sizes).enumerate() {
            let (id, size) = (c.to_string(), size.to_string());
            // Of given centres no sizes are known.
            let size = (size != "0").then_some(("size", size.as_str()));
            let cluster = out.create_element("Cluster").with_attribute(("id", id.as_str()));
            cluster.with_attributes(size).write_inner_content(|out| {
                let numbers: Vec<String> = centre.iter().map(|x| format!("{x:?}")).collect();
                let array = out.create_element("Array").with_attribute(("n", d.as_str()));
                let array = array.with_attribute(("type", "real"));
                array.write_text_content(BytesText::new(&numbers.join(" "))).map(drop)
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use miscela::prelude::*;
    use miscela::{AnyModel, Cosine, L1};
    use ndarray::array;
    use roxmltree::{Document, Node};

    fn document(model: AnyModel) -> String {
        String::from_utf8(Format::Pmml.encode(&model).unwrap()).unwrap()
    }

    fn names<'a>(of: Node<'a, 'a>) -> Vec<&'a str> {
        of.children().filter(Node::is_element).map(|node| node.tag_name().name()).collect()
    }

    /// As the schema says, <https://dmg.org/pmml/v4-4-1/ClusteringModel.html>.
    #[test]
    fn elements_are_in_the_order_of_the_schema() {
        let centroids = array![[1e7 + 0.1, -2.5e-300], [0.0, 1e300]];
        let model = KMeans::from_centroids(centroids.clone(), miscela::L2).unwrap();
        let model = model.with_feature_names(vec!["<a & \"b\">".into(), "größe".into()]);
        let text = document(AnyModel::KMeansF64(model.into_any()));
        let parsed = Document::parse(&text).unwrap();
        let root = parsed.root_element();
        assert_eq!(root.tag_name().namespace(), Some("http://www.dmg.org/PMML-4_4"));
        assert_eq!(root.attribute("version"), Some("4.4"));
        assert_eq!(names(root), ["Header", "DataDictionary", "ClusteringModel"]);
        let find = |name: &str| root.descendants().filter(|node| node.has_tag_name(name)).collect::<Vec<_>>();
        let model = find("ClusteringModel")[0];
        let expected =
            ["MiningSchema", "ComparisonMeasure", "ClusteringField", "ClusteringField", "Cluster", "Cluster"];
        assert_eq!(names(model), expected);
        let attributes: Vec<_> = model.attributes().map(|a| (a.name(), a.value())).collect();
        assert!(attributes.contains(&("numberOfClusters", "2")) && attributes.contains(&("modelClass", "centerBased")));
        assert_eq!(names(find("ComparisonMeasure")[0]), ["euclidean"]);
        for (element, attribute) in [("DataField", "name"), ("MiningField", "name"), ("ClusteringField", "field")] {
            let fields: Vec<_> = find(element).iter().map(|node| node.attribute(attribute).unwrap()).collect();
            assert_eq!(fields, ["<a & \"b\">", "größe"]);
        }
        for (cluster, centre) in find("Cluster").iter().zip(centroids.outer_iter()) {
            let numbers = cluster.first_element_child().unwrap().text().unwrap();
            let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            assert_eq!(numbers, centre.to_vec());
        }
    }

    #[test]
    fn what_has_no_words_there_is_refused() {
        let rows = array![[1.0, 0.1], [9.0, 1.0], [0.2, 2.0], [0.1, 7.0], [1.2, 0.4]];
        let dataset = DatasetBase::from(rows.clone());
        let l1 = KMeans::from_centroids(rows.clone(), L1).unwrap();
        assert!(document(AnyModel::KMeansF64(l1.into_any())).contains("<cityBlock/>"));
        let cosine = KMeans::from_centroids(rows.clone(), Cosine).unwrap();
        let odd = KMeans::from_centroids(rows, miscela::L2).unwrap();
        let twice = odd.clone().with_feature_names(vec!["a".into(), "a".into()]);
        let bell = odd.with_feature_names(vec!["a".into(), "\u{7}".into()]);
        let mixture = GaussianMixture::params(1).fit(&dataset).unwrap();
        let cases = [
            (AnyModel::KMeansF64(cosine.into_any()), "k-means by cosine"),
            (AnyModel::KMeansF64(twice.into_any()), "a column called \"a\""),
            (AnyModel::KMeansF64(bell.into_any()), "a column called \"\\u{7}\""),
            (AnyModel::GmmF64(mixture), "a mixture"),
            (AnyModel::BisectingF64(BisectingKMeans::params(2).fit(&dataset).unwrap().into_any()), "a tree"),
            (AnyModel::KMeansF64(KMeans::params(2).trim(0.2).fit(&dataset).unwrap().into_any()), "trimmed k-means"),
        ];
        for (model, what) in cases {
            let error = Format::Pmml.encode(&model).unwrap_err().to_string();
            assert!(error.starts_with(&format!("PMML cannot hold {what}")), "{error}");
        }
    }
}
