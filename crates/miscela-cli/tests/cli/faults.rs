//! What goes wrong around the command: full disks, folders that cannot be written, readers that go away, signals at any moment. No
//! file is left half-written or beside others, what was there stays, and the exit code says what happened.

use crate::run::{Folder, clusters};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A folder with a model of three clusters, and as many copies of their rows as are asked for.
fn folder(copies: usize) -> Folder {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 3 -o model.json --labels labels.csv --quiet");
    let text = clusters();
    let (names, rows) = text.split_once('\n').unwrap();
    folder.write("long.csv", format!("{names}\n{}", rows.repeat(copies)));
    folder
}

fn command(folder: &Folder, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miscela"));
    command.args(arguments.split_whitespace()).current_dir(folder.path("."));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The command after a line of the shell, such as one that sets a limit: exit code, and standard error.
fn after(folder: &Folder, line: &str, arguments: &str) -> (Option<i32>, String) {
    let script = format!("{line}; exec {} {arguments}", env!("CARGO_BIN_EXE_miscela"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path(".")).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = folder(1000);
    let (model, labels, files) = (folder.read("model.json"), folder.read("labels.csv"), folder.files());
    // No file may grow beyond so many blocks of 512 bytes or more, and the signal for that is an error instead.
    for (blocks, arguments, file) in [
        (0, "fit data.csv -k 2 -o model.json --quiet", "model.json"),
        (0, "fit data.csv -k 2 -m gmm -o new.cbor --quiet", "new.cbor"),
        (16, "predict model.json long.csv -o labels.csv", "labels.csv"),
        (16, "predict model.json long.csv -o new.npy", "new.npy"),
    ] {
        let (code, stderr) = after(&folder, &format!("trap '' XFSZ; ulimit -f {blocks}"), arguments);
        assert_eq!(code, Some(1), "{arguments}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(file), "{arguments}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_eq!((folder.read("model.json"), folder.read("labels.csv")), (model.clone(), labels.clone()));
        assert_eq!(folder.files(), files, "{arguments} left something behind");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error() {
    let folder = folder(1);
    let (code, stderr) = after(&folder, "exec >/dev/full", "predict model.json data.csv");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains("standard output"), "{stderr}");
}

#[test]
fn folders_that_cannot_be_written() {
    let folder = folder(1);
    folder.fails("fit data.csv -k 3 -o data.csv/model.json --quiet", 1, &["data.csv/model.json"]);
    folder.fails("predict model.json data.csv -o nowhere/labels.csv", 1, &["nowhere/labels.csv"]);
    // Not even the super-user writes here.
    #[cfg(target_os = "linux")]
    for file in ["/proc/model.json", "/sys/model.cbor"] {
        folder.fails(&format!("fit data.csv -k 3 -o {file} --quiet"), 1, &[file]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder(2000);
    for arguments in
        ["predict model.json long.csv", "predict model.json long.csv --append", "sample model.gmm.json -n 100000"]
    {
        if arguments.contains("gmm") {
            folder.ok("fit data.csv -m gmm -k 3 -o model.gmm.json --quiet");
        }
        let mut child = command(&folder, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments}");
    }
}

/// Whether it has ended, `signals` later, in one of the ways there are.
fn ended_by(mut child: Child, signals: &[i32]) {
    for signal in signals {
        let _ =
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).stderr(Stdio::null()).status();
    }
    let status = child.wait().unwrap();
    // It was done, or kept what it had; or was told twice; or had nothing to keep.
    let ways = [status.code() == Some(0), status.code() == Some(130)];
    let killed = status.signal().is_some_and(|signal| signals.contains(&signal));
    assert!(ways.contains(&true) || killed, "{status:?}");
}

#[test]
fn signals_at_any_moment_leave_whole_files() {
    let folder = folder(600);
    let fits = [
        "fit long.csv -m gmm -k 5 --tol 0 --max-iter 40 -o model.json --labels labels.csv --quiet",
        "fit long.csv -k 7 --n-runs 3 -o model.json --labels labels.csv --quiet",
        "predict model.json long.csv -o labels.csv",
    ];
    for fit in fits {
        let start = Instant::now();
        assert!(command(&folder, fit).status().unwrap().success());
        let whole = start.elapsed();
        let files = folder.files();
        for attempt in 0..8 {
            // Moments all over the run, the same every time as far as the machine allows.
            let part = (f64::from(attempt) * 0.618_033_988_749_894_9).fract();
            let child = command(&folder, fit).spawn().unwrap();
            sleep(whole.mul_f64(part));
            ended_by(child, [&[SIGINT][..], &[SIGTERM], &[SIGINT, SIGINT], &[SIGINT, SIGTERM]][attempt as usize % 4]);
            assert_eq!(folder.files(), files, "{fit}, attempt {attempt}: something was left behind");
            folder.ok("info model.json --json");
            folder.ok("metrics --labels labels.csv --truth labels.csv --json");
        }
    }
}

/// Killed while it writes, a file is gone: there is nothing that could still tidy up. Only in the moment before it replaces another
/// it has a passing name, and then it is whole.
#[cfg(target_os = "linux")]
#[test]
fn killed_while_it_writes() {
    let folder = folder(4000);
    let (files, labels) = (folder.files(), folder.read("labels.csv"));
    let predict = "predict model.json long.csv -o labels.csv";
    folder.ok(predict);
    let whole = folder.read("labels.csv");
    folder.write("labels.csv", &labels);
    let mut writing = 0;
    for attempt in 0..400 {
        let mut child = command(&folder, predict).spawn().unwrap();
        let file = fs::canonicalize(folder.path(".")).unwrap();
        let descriptors = format!("/proc/{}/fd", child.id());
        // A descriptor of a file in the folder that is not there: what is being written.
        let deadline = Instant::now() + Duration::from_secs(20);
        let found = loop {
            let open = fs::read_dir(&descriptors).into_iter().flatten().flatten();
            let mut targets = open.filter_map(|entry| fs::read_link(entry.path()).ok());
            if targets.any(|target| target.starts_with(&file) && target.to_string_lossy().ends_with("(deleted)")) {
                break true;
            }
            if child.try_wait().unwrap().is_some() || Instant::now() > deadline {
                break false;
            }
        };
        let _ = child.kill();
        child.wait().unwrap();
        if found && folder.read("labels.csv") == labels {
            writing += 1;
        } else {
            folder.write("labels.csv", &labels);
        }
        for file in folder.files().iter().filter(|file| file.starts_with(".miscela-")) {
            assert_eq!(folder.read(file), whole, "attempt {attempt}: {file} is a part");
            fs::remove_file(folder.path(file)).unwrap();
        }
        assert_eq!(folder.files(), files, "attempt {attempt}: something was left behind");
        if writing >= 3 {
            return;
        }
        // Where files cannot be without a name they have one, and there is nothing to see.
        if attempt > 20 && writing == 0 {
            return;
        }
    }
}
