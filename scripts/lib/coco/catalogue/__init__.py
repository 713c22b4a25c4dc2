# SPDX-License-Identifier: GPL-2.0
"""coco catalogue: the fixes of guest-side code, and what tells fixed from unfixed.

    fix.py        a fix, as all other modules know it
    entries.py    read from backports/fixes
    problems.py   whether the entries are sound, and fit the suites
    work.py       from the command line to the exit code
"""
