"""What icalendar and recurring-ical-events make of the files: {name: [[start, end], ...] or "why not"} as JSON.

Times in a zone come as instants, those without as they are, days as days.
"""

import datetime as dt
import json
import pathlib
import signal
import sys

import icalendar
import recurring_ical_events

FOLDER, YEAR = pathlib.Path(sys.argv[1]), int(sys.argv[2])
KINDS = ["VEVENT", "VTODO", "VJOURNAL"]
# A file that takes longer is one that never ends.
SECONDS_MAX = 5


def told(when):
    if not isinstance(when, dt.datetime):
        return when.isoformat()
    if when.tzinfo is None:
        return when.isoformat()
    return when.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def ends(component):
    """When it ends; asked of the component itself, because a to-do has DUE."""
    end = getattr(component, "end", None)
    return end if end is not None else component.start


def occurrences(path):
    found = []
    for calendar in icalendar.Calendar.from_ical(path.read_bytes(), multiple=True):
        query = recurring_ical_events.of(calendar, components=KINDS)
        begin, end = (dt.datetime(year, 1, 1, tzinfo=dt.timezone.utc) for year in (YEAR, YEAR + 1))
        found += [[told(one.start), told(ends(one))] for one in query.between(begin, end)]
    return sorted(found)


def too_long(*_):
    raise TimeoutError("it takes too long")


signal.signal(signal.SIGALRM, too_long)
answers = {}
for path in sorted(FOLDER.glob("*.ics")):
    signal.alarm(SECONDS_MAX)
    try:
        answers[path.stem] = occurrences(path)
    except Exception as error:
        answers[path.stem] = f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
json.dump(answers, sys.stdout)
