"""Uses the generated client and models: books a trip, follows a fleet, prints what the models say."""

import functools
import json
import sys
import threading

import websocket
from asyncapimodels.answer_trip_book import AnswerTripBook
from asyncapimodels.fleet_fleet_id_event import FleetFleetIdEvent
from asyncapimodels.fleet_fleet_id_subscribed import FleetFleetIdSubscribed
from asyncapimodels.welcome import Welcome
from client import FleetClient

url, token = sys.argv[1:3]
# The generated client has no option for a header and a subprotocol.
websocket.WebSocketApp = functools.partial(
    websocket.WebSocketApp, header=[f"Authorization: Bearer {token}"], subprotocols=["live.v1"]
)
client = FleetClient(url)
ended = threading.Event()


def say(*words):
    print(">", *words, flush=True)


def on_told(text):
    welcome = Welcome(json.loads(text))
    say("welcome", len(welcome.connectionId))
    client.own_trip_book({"type": "trip.book", "id": 1, "data": {"seat": 7}})
    client.fleet__fleet_id_follow({"type": "subscribe", "id": 2, "topic": "fleet/7"})


def on_answer(text):
    message = json.loads(text)
    if message["type"] == "trip.book":
        say("booked", AnswerTripBook(message).data.ticket)
    else:
        answer = FleetFleetIdSubscribed(message)
        say(answer.type, answer.topic, answer.offset)


def on_event(text):
    event = FleetFleetIdEvent(json.loads(text))
    say("event", event.offset, event.key, event.data.lat, event.data.lon, event.data.state.value)
    ended.set()


client.register_connection_tell_handler(on_told)
client.register_fleet__fleet_id_deliver_handler(on_event)
client.register_message_handler(on_answer)
client.connect()
if not ended.wait(20):
    sys.exit("nothing was published")
