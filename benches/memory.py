#!/usr/bin/env python3
"""Peak resident memory of fits beyond their rows, beside the limit. Exits with 1 if any is over.

    python3 benches/memory.py [--rows 2000000x2] [--quick]

The limit is a quarter of the rows, 16 bytes a row, 32 MB, and four times the sums that a fit keeps.
"""

import argparse
import sys

from peers import environment


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="only cases whose n x d starts so, e.g. 2000000x2")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    options = parser.parse_args()
    environment.enter()
    environment.install()
    environment.build()
    from peers import scaling, setting

    over = scaling.memory(setting.Setting(options.rows, options.quick), peers=())
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
