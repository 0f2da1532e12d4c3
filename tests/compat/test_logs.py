"""CloudWatch Logs."""

import time
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def logs(client):
    return client("logs")


@pytest.fixture
def group(logs):
    name = f"/compat/{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name, tags={"a": "1"})
    yield name
    logs.delete_log_group(logGroupName=name)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def write(logs, group, stream, texts, start):
    events = [{"timestamp": start + place, "message": text} for place, text in enumerate(texts)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@pytest.fixture
def start():
    return int(time.time() * 1000) - 10_000


def test_group_is_listed_and_cannot_be_made_twice(logs, group):
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["arn"] == found["logGroupArn"] + ":*"
    assert logs.list_tags_for_resource(resourceArn=found["logGroupArn"])["tags"] == {"a": "1"}
    assert refusal(logs.create_log_group, logGroupName=group)["Code"] == "ResourceAlreadyExistsException"
    error = refusal(logs.get_log_events, logGroupName=group, logStreamName="none")
    assert error["Message"] == "The specified log stream does not exist."
    error = refusal(logs.describe_log_streams, logGroupName="/none")
    assert (error["Code"], error["Message"]) == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


def test_stream_is_read_from_both_ends_and_the_token_stays_at_the_end(logs, group, start):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    write(logs, group, "s", "abcde", start)
    where = {"logGroupName": group, "logStreamName": "s"}

    def texts(page):
        return "".join(event["message"] for event in page["events"])

    first = logs.get_log_events(**where, startFromHead=True, limit=3)
    second = logs.get_log_events(**where, startFromHead=True, nextToken=first["nextForwardToken"])
    third = logs.get_log_events(**where, startFromHead=True, nextToken=second["nextForwardToken"])
    assert (texts(first), texts(second), texts(third)) == ("abc", "de", "")
    assert third["nextForwardToken"] == second["nextForwardToken"]
    tail = logs.get_log_events(**where, limit=2)
    assert texts(tail) == "de"
    assert texts(logs.get_log_events(**where, nextToken=tail["nextBackwardToken"])) == "abc"
    middle = logs.get_log_events(**where, startTime=start + 1, endTime=start + 3)
    assert texts(middle) == "bc"


def test_streams_are_ordered_by_name_or_by_their_last_event(logs, group, start):
    for stream, offset in (("a", 2000), ("b", 1000), ("c", 3000)):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        write(logs, group, stream, "x", start + offset)

    def names(**more):
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 2}, **more
        )
        return "".join(stream["logStreamName"] for page in pages for stream in page["logStreams"])

    assert names() == "abc"
    assert names(orderBy="LastEventTime", descending=True) == "cab"
    assert names(logStreamNamePrefix="b") == "b"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="b")["logStreams"]
    assert stream["firstEventTimestamp"] == stream["lastEventTimestamp"] == start + 1000


def test_filter_merges_streams_by_time_and_matches_words(logs, group, start):
    for stream, texts, offset in (("x", ["error one", "fine"], 0), ("y", ["error two", "error three"], 1)):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        write(logs, group, stream, texts, start + offset)

    def texts(**more):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 1}, **more
        )
        return [event["message"] for page in pages for event in page["events"]]

    assert texts() == ["error one", "fine", "error two", "error three"]
    assert texts(filterPattern="error -two") == ["error one", "error three"]
    assert texts(logStreamNames=["y"]) == ["error two", "error three"]
    assert texts(startTime=start + 1, endTime=start + 1) == ["fine", "error two"]
    assert texts(logStreamNamePrefix="x") == ["error one", "fine"]
    error = refusal(logs.filter_log_events, logGroupName=group, filterPattern="{ $.a = 1 }")
    assert "filter pattern" in error["Message"]


def test_following_a_group_as_the_command_line_does_shows_every_event_once(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    begin = since = int(time.time() * 1000)
    seen, shown = set(), []
    for round, texts in enumerate((["one", "two"], [], ["three"])):
        if texts:
            write(logs, group, "s", texts, begin + round)
        arguments = {"logGroupName": group, "interleaved": True, "startTime": since}
        for page in logs.get_paginator("filter_log_events").paginate(**arguments):
            for event in page["events"]:
                since = event["timestamp"]
                if event["eventId"] not in seen:
                    seen.add(event["eventId"])
                    shown.append(event["message"])
    assert shown == ["one", "two", "three"]


def test_events_out_of_order_are_refused(logs, group, start):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    events = [{"timestamp": start + 1, "message": "b"}, {"timestamp": start, "message": "a"}]
    error = refusal(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=events)
    assert "chronological" in error["Message"]
