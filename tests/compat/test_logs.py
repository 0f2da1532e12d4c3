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
    error = refusal(logs.filter_log_events, logGroupName=group, filterPattern="{ $.a = }")
    assert (error["Code"], "filter pattern" in error["Message"]) == ("InvalidParameterException", True)


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


def test_filter_understands_json_fields_and_regular_expressions(logs, group, start):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    lines = ['{"level": "error", "n": 7}', '{"level": "info", "n": 9}', "10.0.0.1 GET 404 12", "10.0.0.2 GET 200 99"]
    write(logs, group, "s", lines, start)

    def found(pattern):
        return [lines.index(event["message"]) for event in logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]]

    assert found('{ $.level = "err*" }') == [0]
    assert found("{ $.n > 6 && ($.level = info || $.n = 7) }") == [0, 1]
    assert found("[ip, verb, status = 4*, bytes]") == [2]
    assert found("[ip = 10.0.0.*, ..., bytes > 50]") == [3]
    assert found("%[24]0[04]%") == [2, 3]
    assert found('?error ?"GET 200"') == [0, 3]
    tested = logs.test_metric_filter(filterPattern="[a, b]", logEventMessages=["one", "two words"])["matches"]
    assert [match["extractedValues"] for match in tested] == [{"$a": "two", "$b": "words"}]


def test_retention_hides_what_is_too_old_and_can_be_taken_back(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    day = 86_400_000
    write(logs, group, "s", ["old"], now - 5 * day)
    write(logs, group, "s", ["new"], now)

    def texts():
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    assert texts() == ["old", "new"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=3)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert (found["retentionInDays"], texts()) == (3, ["new"])
    late = [{"timestamp": now - 4 * day, "message": "x"}]
    put = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=late)
    assert put["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    logs.delete_retention_policy(logGroupName=group)
    assert texts() == ["old", "new"]
    error = refusal(logs.put_retention_policy, logGroupName=group, retentionInDays=4)
    assert error["Code"] == "InvalidParameterException"


def test_events_too_old_or_ahead_are_rejected_and_the_others_kept(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    hour = 3_600_000
    events = [{"timestamp": now, "message": "fine"}, {"timestamp": now + 3 * hour, "message": "ahead"}]
    put = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    assert put["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    events = [{"timestamp": now - 15 * 24 * hour, "message": "old"}]
    put = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    assert put["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    kept = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True)["events"]
    assert [event["message"] for event in kept] == ["fine"]
    events = [{"timestamp": now - 30 * hour, "message": "a"}, {"timestamp": now, "message": "b"}]
    error = refusal(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=events)
    assert "24 hours" in error["Message"]
    large = [{"timestamp": now, "message": "x" * 200_000}] * 6
    error = refusal(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=large)
    assert "Upload too large" in error["Message"]


def test_batch_of_a_megabyte_of_quotation_marks_is_taken(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    events = [{"timestamp": int(time.time() * 1000), "message": '"' * 200_000}] * 5
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["storedBytes"] == 5 * (200_000 + 26)


def test_stream_is_deleted_with_its_events(logs, group, start):
    for stream in ("a", "b"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        write(logs, group, stream, [stream], start)
    logs.delete_log_stream(logGroupName=group, logStreamName="a")
    assert [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]] == ["b"]
    error = refusal(logs.delete_log_stream, logGroupName=group, logStreamName="a")
    assert error["Code"] == "ResourceNotFoundException"
    logs.create_log_stream(logGroupName=group, logStreamName="a")
    assert logs.get_log_events(logGroupName=group, logStreamName="a")["events"] == []


def test_group_is_tagged_by_arn_and_by_name(logs, group):
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    arn = found["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    logs.tag_log_group(logGroupName=group, tags={"c": "3"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2", "c": "3"}
    logs.untag_log_group(logGroupName=group, tags=["b"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}


def test_what_there_is_not_is_refused_by_name(logs, group):
    error = refusal(
        logs.start_query, logGroupName=group, startTime=0, endTime=1, queryString="fields @message"
    )
    assert "StartQuery" in error["Message"]
    assert logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []
    assert logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []
