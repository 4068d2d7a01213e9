"""`make soak`: lets clients talk to a server through a bad network for some minutes, and says whether all is well."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from .report import SHOWN, as_table, failures, summary
from .soak import Soak

REPORT = Path("build/soak/report.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=["uvicorn", "daphne"], default="uvicorn")
    options = parser.parse_args()
    outcome = asyncio.run(Soak(options.server, options.seed, options.minutes * 60).run())
    figures, found = summary(outcome), failures(outcome)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    statistics = {
        "idle": outcome.idle,
        "after the warm-up": outcome.warm,
        "busy": outcome.busy,
        "at the end": outcome.end,
    }
    REPORT.write_text(json.dumps({**figures, "statistics": statistics, "failures": found}, indent=2) + "\n")
    REPORT.with_name("server.log").write_text("\n".join(outcome.log) + "\n")
    print(as_table(figures))
    for failure in found[:SHOWN]:
        print("FAILED", failure, file=sys.stderr)
    print(f"{len(found)} failures. All of them, and what the server logged: {REPORT.parent}/")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
