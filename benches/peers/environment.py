"""The peers' own virtual environment in target/peers, what runs in it, and the machine it runs on."""

import os
import platform
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / "target" / "peers"
RELEASE = ROOT / "target" / "release"
PYTHON = HOME / "venv" / "bin" / "python"

# What pip installs, and the module that must then be importable. The first is needed, the others may be missing.
PEERS = {
    "scikit-learn": ("scikit-learn==1.9.*", "sklearn"),
    "scikit-learn-intelex": ("scikit-learn-intelex", "sklearnex.cluster"),
    "faiss": ("faiss-cpu", "faiss"),
}


def enter(threads=None):
    """Runs this program again inside the peers' environment, made the first time (this needs PyPI).

    `threads` is the most that any pool of theirs may have.
    """
    if Path(sys.prefix).resolve() == (HOME / "venv").resolve():
        return
    if not PYTHON.exists():
        venv.create(HOME / "venv", with_pip=True)
    for pool in ("OMP", "OPENBLAS", "MKL") if threads else ():
        os.environ[f"{pool}_NUM_THREADS"] = str(threads)
    os.environ["PYTHONWARNINGS"] = "ignore"  # that fits did not converge, which is meant
    os.execv(PYTHON, [str(PYTHON), *sys.argv])


def install():
    """The peers that can run here, name to version, and those that cannot, name to reason."""
    present, missing = {}, {}
    for name, (package, module) in PEERS.items():
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        # In a process of its own: what is built for another processor may end it.
        trial = [PYTHON, "-c", f"import {module}"]
        if subprocess.run(trial, capture_output=True).returncode != 0:
            done = subprocess.run(pip, capture_output=True, text=True)
            done = subprocess.run(trial, capture_output=True, text=True) if done.returncode == 0 else done
            if done.returncode != 0:
                reason = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
                missing[name] = reason
                continue
        present[name] = version(package)
    if "scikit-learn" in missing:
        sys.exit(f"scikit-learn cannot be installed here: {missing['scikit-learn']}")
    return present, missing


def version(package):
    from importlib.metadata import version

    return version(re.split("[=<>]", package)[0])


def build():
    """Builds the command and the two helpers that measure."""
    cargo = ["cargo", "build", "--release", "--quiet", "-p", "miscela-cli", "-p", "miscela-benches"]
    subprocess.run(cargo, cwd=ROOT, check=True)


def run(program, *arguments):
    """What a program of target/release prints."""
    command = [str(RELEASE / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def peak_flops(dtype, threads):
    """Operations a second that the machine can do with fused multiply-adds, measured once."""
    key = (dtype, threads)
    if key not in _measured:
        _measured[key] = 1e9 * float(run("machine", "flops", dtype, threads))
    return _measured[key]


def read_bandwidth(size, threads):
    """Bytes a second that the machine can add up in an array of that many bytes, measured once."""
    key = (max(1, round(size / 1e6)), threads)
    if key not in _measured:
        _measured[key] = 1e9 * float(run("machine", "read", *key))
    return _measured[key]


_measured = {}
