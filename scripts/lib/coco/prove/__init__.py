# SPDX-License-Identifier: GPL-2.0
"""coco prove: does a kernel have a fix, shown from both sides.

    sources.py    what is put into the tree for either side
    sides.py      one side: a kernel, some cases, their results
    verdicts.py   the verdict, from the results of both sides alone
    proofs.py     what is kept of a proof, and its form for people and programs
    work.py       from the command line to the exit code
"""
