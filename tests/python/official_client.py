"""Runs TikTok's official Python client, unchanged but for its host, against a sandbox.

Usage: SANDBOX_URL=http://127.0.0.1:8911 python official_client.py

Every case has its own account. Prints one line per case; ends with an error if any case failed or none ran.
What this client cannot show (partial success: it turns every code but 0 into an exception and drops the data) is tested
by raw HTTP elsewhere.
"""

import sys
import traceback

import adgroup_cases  # noqa: F401  importing them is what registers the cases
import ad_cases  # noqa: F401
import campaign_cases  # noqa: F401
import connect_cases  # noqa: F401
import smart_plus_ad_cases  # noqa: F401
from support import CASES


def main():
    failed = 0
    for function in CASES:
        try:
            function()
            print(f"ok      {function.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {function.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(CASES) - failed} passed, {failed} failed", flush=True)
    return 1 if failed or not CASES else 0


if __name__ == "__main__":
    sys.exit(main())
