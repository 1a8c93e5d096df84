//! `convert` to and from the formats of other tools. Whether those understand it is tried by `tests/peers/exchange.py`.

use crate::run::Folder;
use serde_json::json;
use std::fs;

#[test]
fn arrays_of_scikit_learn_there_and_back() {
    let folder = Folder::with_data();
    for fit in [
        "-m kmeans -k 3",
        "-m kmeans -k 2 --dtype f32",
        "-m gmm -k 3 --covariance VEE",
        "-m gmm -k 2 --covariance tied",
        "-m gmm -k 3 --covariance EEI --dtype f32",
        "-m gmm -k 3 --covariance EII",
    ] {
        folder.ok(&format!("fit data.csv {fit} -o m.json --labels labels.csv"));
        assert_eq!(folder.ok("convert m.json -o m.npz"), "m.json written to m.npz\n");
        folder.ok("convert m.npz -o back.cbor");
        assert_eq!(folder.ok("predict back.cbor data.csv"), folder.read("labels.csv"), "{fit}");
        let (here, there) = (folder.json("info m.json"), folder.json("info back.cbor"));
        for key in ["method", "dtype", "feature_names", "means"] {
            assert_eq!(here[key], there[key], "{fit}: {key}");
        }
        folder.ok("info back.cbor");
        folder.ok("convert back.cbor -o again.npz");
    }
}

#[test]
fn graphs_and_documents_for_other_tools() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m kmeans -k 3 -o m.json");
    let answer = folder.json("convert m.json -o m.onnx");
    assert_eq!(answer, json!({"method": "kmeans", "from": "m.json", "to": "m.onnx"}));
    let graph = fs::read(folder.path("m.onnx")).unwrap();
    for text in ["miscela", "ArgMin", "distances", "[\"length\",\"width\"]"] {
        assert!(graph.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
    }
    assert_eq!(folder.ok("convert m.json -o m.pmml --quiet"), "");
    assert!(folder.read("m.pmml").contains("<ClusteringField field=\"width\" compareFunction=\"absDiff\"/>"));
    assert_eq!(folder.ok("convert m.json -o m.ONNX"), "m.json written to m.ONNX\n");
    assert_eq!(fs::read(folder.path("m.ONNX")).unwrap(), graph);
}

#[test]
fn what_another_format_cannot_hold_is_refused() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m gmm -k 2 -o gmm.json");
    folder.ok("fit data.csv -m kmeans -k 2 --metric l1 -o l1.json");
    folder.ok("fit data.csv -m bisecting -k 3 -o tree.json");
    folder.ok("fit data.csv -m gmm -k 2 --tails student -o student.json");
    for (arguments, words) in [
        ("convert gmm.json -o m.pmml", ["m.pmml: PMML cannot hold a mixture", ".onnx"]),
        ("convert l1.json -o m.npz", ["k-means by l1", "l2"]),
        ("convert tree.json -o m.npz", ["a tree of clusters", ".onnx"]),
        ("convert student.json -o m.npz", ["Student-t components", ".onnx"]),
    ] {
        folder.fails(arguments, 1, &words);
    }
}

#[test]
fn damaged_arrays_are_one_sentence() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m gmm -k 2 -o m.json");
    folder.ok("convert m.json -o m.npz");
    let whole = fs::read(folder.path("m.npz")).unwrap();
    for length in (0..whole.len()).step_by(97) {
        folder.write("cut.npz", &whole[..length]);
        folder.fails("convert cut.npz -o out.json", 1, &["cut.npz: not a model in scikit-learn's arrays: "]);
    }
    folder.write("text.npz", "length,width\n");
    folder.fails("convert text.npz -o out.json", 1, &["text.npz", "numpy.savez"]);
    folder.fails("convert none.npz -o out.json", 1, &["none.npz"]);
}
