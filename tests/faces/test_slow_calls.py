"""Calls that wait for the world outside, as the tables and the user tell of them."""

from __future__ import annotations

import ast

import pytest

from session_lint.analysis.program import Program
from session_lint.python.names import Names
from session_lint.source import Source
from session_lint.vocabulary import Meaning, Role, Tables, Vocabulary, builtin, vocabulary
from session_lint.vocabulary.checking import checked
from session_lint.vocabulary.tables import read_table

MODEL, HTTP, PROCESS, BROWSER = "a language model", "an HTTP request", "a subprocess", "a browser"


def waits(text: str, words: Vocabulary | None = None) -> str:
    """What the last call of a text waits for, by its names and the vocabulary alone."""
    tree = ast.parse(text)
    names = Names(tree, "module")
    call, scope = max(names.scopes.calls.items(), key=lambda one: (one[0].end_lineno or 0, one[0].end_col_offset or 0))
    found = (words or builtin()).of(names.qualify(call.func, scope))
    return found.waits_for if found is not None else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import time; time.sleep(1)", "sleep"),
        ("from telegram import Update\nasync def f(u: Update): await u.message.reply_text('x')", "Telegram"),
        (
            "from telegram import Update\nasync def f(u: Update): await u.callback_query.message.chat.leave()",
            "Telegram",
        ),
        (
            "from telegram.ext import ContextTypes as C\nasync def f(c: C.DEFAULT_TYPE): await c.bot.send_photo(1, x)",
            "Telegram",
        ),
        (
            "from aiogram.types import CallbackQuery\nasync def f(q: CallbackQuery): await q.message.answer()",
            "Telegram",
        ),
        ("from telethon import TelegramClient; c = TelegramClient(a, b, d); c.send_message(x, y)", "Telegram"),
        ("from discord import Message\nasync def f(m: Message): await m.channel.send('x')", "Discord"),
        (
            "import discord\nasync def f(i: discord.Interaction): await i.response.send_message('x')",
            "Discord",
        ),
        ("from discord.ext import commands\nasync def f(c: commands.Context): await c.send('x')", "Discord"),
        ("from pydantic_ai import Agent\nagent = Agent(m)\nasync def f(): await agent.run('x')", MODEL),
        ("from crewai import Crew; Crew(agents=a).kickoff()", MODEL),
        ("from llama_index.core import VectorStoreIndex; VectorStoreIndex(d).as_query_engine().query(q)", MODEL),
        ("from langgraph.prebuilt import create_react_agent; a = create_react_agent(m, t); a.invoke(x)", MODEL),
        ("from mcp import ClientSession\nasync def f(s: ClientSession): await s.call_tool(n)", "an MCP server"),
        ("from github import Github; Github(t).get_repo(n).create_issue(title=x)", "GitHub"),
        ("from github.Repository import Repository\ndef f(r: Repository): r.get_contents(p)", "GitHub"),
        ("from minio import Minio; m = Minio(h); m.fput_object(b, k, p)", "object storage"),
        ("from jira import JIRA; JIRA(server=s)", "Jira"),
        ("from ldap3 import Connection; c = Connection(s); c.search(b, q)", "LDAP"),
        ("import gspread; gspread.service_account().open(n).sheet1.append_row(r)", "Google Sheets"),
        ("import yt_dlp\nwith yt_dlp.YoutubeDL(o) as y: y.download(u)", "a download"),
        ("import resend; resend.Emails.send(p)", "a mail server"),
        ("from curl_cffi import requests; requests.get(url)", HTTP),
        (
            "from curl_cffi.requests import AsyncSession\nasync def f():\n    async with AsyncSession() as s: s.get(u)",
            HTTP,
        ),
        ("import cloudscraper; s = cloudscraper.create_scraper(); s.get(u)", HTTP),
        (
            "import aioboto3\nasync def f():\n    async with aioboto3.Session().client(n) as s: await s.put_object()",
            "AWS",
        ),
        ("from time import sleep as nap; nap(1)", "sleep"),
        ("import asyncio\nasync def f(): await asyncio.sleep(1)", "sleep"),
        ("import anyio\nasync def f(): await anyio.sleep(1)", "sleep"),
        ("import trio\nasync def f(): await trio.sleep(1)", "sleep"),
        ("import gevent; gevent.sleep(1)", "sleep"),
        ("import eventlet; eventlet.sleep(1)", "sleep"),
        ("import requests; requests.post(url, json={})", HTTP),
        ("from requests import get; get(url)", HTTP),
        ("import requests; s = requests.Session(); s.get(url)", HTTP),
        ("import requests\nwith requests.session() as s: s.request('GET', url)", HTTP),
        ("import requests\nclass A:\n    http = requests.Session()\n    def f(self): self.http.get(url)", HTTP),
        (
            "import httpx\nclass A:\n    def __init__(self): self.c = httpx.Client()\n    def f(self): self.c.get(u)",
            HTTP,
        ),
        ("import requests\ndef f(http: requests.Session): http.put(url)", HTTP),
        ("import httpx; httpx.get(url)", HTTP),
        ("import httpx\nwith httpx.Client(timeout=5) as client: client.post(url)", HTTP),
        ("import httpx\nasync def f():\n    async with httpx.AsyncClient() as c: await c.get(url)", HTTP),
        ("import aiohttp\nasync def f():\n    async with aiohttp.ClientSession() as s: await s.get(url)", HTTP),
        ("from urllib.request import urlopen; urlopen(url)", HTTP),
        ("import urllib3; pool = urllib3.PoolManager(); pool.request('GET', url)", HTTP),
        ("import http.client; c = http.client.HTTPSConnection(h); c.getresponse()", HTTP),
        ("import subprocess; subprocess.run(['ls'])", "a subprocess"),
        ("from subprocess import check_output; check_output(['ls'])", "a subprocess"),
        ("import subprocess; p = subprocess.Popen(a); p.communicate()", "a subprocess"),
        (
            "import asyncio\nasync def f():\n    p = await asyncio.create_subprocess_shell(a)\n    await p.wait()",
            PROCESS,
        ),
        ("import os; os.system('ls')", "a subprocess"),
        ("import socket; s = socket.create_connection(a); s.recv(10)", "a socket"),
        ("import socket; socket.create_connection(a)", "a socket"),
        ("import socket; s = socket.socket(); s.connect(a)", "a socket"),
        ("import socket; socket.gethostbyname(a)", "a name server"),
        ("import smtplib; smtplib.SMTP('mail')", "a mail server"),
        ("import smtplib\nwith smtplib.SMTP_SSL(h) as s: s.send_message(m)", "a mail server"),
        ("import aiosmtplib\nasync def f(): await aiosmtplib.send(m)", "a mail server"),
        ("from flask_mail import Mail; mail = Mail(); mail.send(m)", "a mail server"),
        ("from django.core.mail import send_mail; send_mail(a)", "a mail server"),
        ("from django.core.mail import EmailMultiAlternatives as E; E(a).send()", "a mail server"),
        ("import paramiko; c = paramiko.SSHClient(); c.exec_command('ls')", "SSH"),
        ("import paramiko; c = paramiko.SSHClient(); f = c.open_sftp(); f.put(a, b)", "SFTP"),
        ("import ftplib\nwith ftplib.FTP_TLS(h) as f: f.storbinary('STOR a', b)", "FTP"),
        ("import boto3; s3 = boto3.client('s3'); s3.put_object()", "AWS"),
        ("import boto3; boto3.Session().client('sqs').receive_message()", "AWS"),
        ("import boto3; s3 = boto3.resource('s3'); s3.Bucket('b').upload_file(f)", "AWS"),
        ("import boto3; boto3.session.Session().resource('s3').meta.client.put_object()", "AWS"),
        ("from google.cloud import storage; storage.Client().bucket(b).blob(n).upload_from_string(d)", "Google Cloud"),
        (
            "from google.cloud import storage as s; s.Client().get_bucket(b).get_blob(n).download_as_bytes()",
            "Google Cloud",
        ),
        ("from google.cloud import pubsub_v1 as p; c = p.PublisherClient(); c.publish(t, d).result()", "Google Cloud"),
        ("from google.cloud import bigquery; bigquery.Client().query(q).result()", "Google Cloud"),
        ("from azure.storage.blob import BlobServiceClient as S; S(u).get_blob_client(b).upload_blob(d)", "Azure"),
        (
            "from azure.storage.blob import BlobServiceClient as S; S.from_connection_string(c).create_container(b)",
            "Azure",
        ),
        ("from azure.storage.blob.aio import ContainerClient as C\nasync def f(c: C): await c.upload_blob(d)", "Azure"),
        ("from openai import OpenAI; client = OpenAI(); client.chat.completions.create()", MODEL),
        ("from openai import OpenAI; OpenAI().with_options(timeout=5).responses.create()", MODEL),
        ("from openai import AsyncOpenAI\nc = AsyncOpenAI()\nasync def f(): await c.embeddings.create()", MODEL),
        ("from openai import AzureOpenAI; c = AzureOpenAI(); c.beta.chat.completions.parse()", MODEL),
        ("import openai; openai.ChatCompletion.create(m)", MODEL),
        ("import openai; openai.chat.completions.create(m)", MODEL),
        ("from langfuse.openai import OpenAI; OpenAI().chat.completions.create()", MODEL),
        ("import instructor, openai; c = instructor.from_openai(openai.OpenAI()); c.chat.completions.create()", MODEL),
        ("import anthropic; c = anthropic.Anthropic(); c.messages.create()", MODEL),
        ("import anthropic\nasync def f(): await anthropic.AsyncAnthropic().beta.messages.create()", MODEL),
        ("import google.generativeai as genai; m = genai.GenerativeModel(n); m.generate_content(p)", MODEL),
        ("from google import genai; c = genai.Client(); c.models.generate_content(p)", MODEL),
        ("from google import genai\nasync def f(): await genai.Client().aio.models.generate_content(p)", MODEL),
        ("from vertexai.generative_models import GenerativeModel as G; G(n).start_chat().send_message(p)", MODEL),
        ("import cohere; cohere.ClientV2(k).chat(m)", MODEL),
        ("from mistralai import Mistral; Mistral(k).chat.complete(m)", MODEL),
        ("from mistralai.client import Mistral; Mistral(k).chat.complete(m)", MODEL),
        ("from groq import Groq; Groq().chat.completions.create()", MODEL),
        ("import litellm\nasync def f(): await litellm.acompletion(m)", MODEL),
        ("from langchain_openai import ChatOpenAI; llm = ChatOpenAI(); llm.invoke(p)", MODEL),
        ("from langchain_anthropic import ChatAnthropic as C; C().with_structured_output(S).invoke(p)", MODEL),
        ("import pika; ch = pika.BlockingConnection(p).channel(); ch.basic_publish(b)", "a message broker"),
        ("from kafka import KafkaProducer; p = KafkaProducer(); p.send(t).get(timeout=3)", "a message broker"),
        ("from kafka import KafkaProducer; p = KafkaProducer(); p.flush()", "a message broker"),
        ("from celery.result import AsyncResult; AsyncResult(i).get()", "a task"),
        ("from celery import Celery; app = Celery(); app.send_task(n).get()", "a task"),
        ("import stripe; stripe.PaymentIntent.create(amount=1)", "Stripe"),
        ("import stripe; stripe.checkout.Session.create()", "Stripe"),
        ("from twilio.rest import Client; Client(a, b).messages.create()", "Twilio"),
        ("from slack_sdk import WebClient; WebClient(t).chat_postMessage()", "Slack"),
        ("from sendgrid import SendGridAPIClient; SendGridAPIClient(k).send(m)", HTTP),
        ("from elasticsearch import Elasticsearch; es = Elasticsearch(); es.search(index=i)", "Elasticsearch"),
        ("import redis; r = redis.Redis.from_url(u); r.blpop(k)", "a Redis queue"),
        ("import docker; docker.from_env().containers.run(i)", "Docker"),
        ("from selenium import webdriver; d = webdriver.Firefox(); d.get(u)", "a browser"),
        (
            "from playwright.sync_api import sync_playwright as s\nwith s() as p: p.webkit.launch().new_page().goto(u)",
            BROWSER,
        ),
        ("input('sure?')", "somebody's answer"),
    ],
)
def test_a_call_waits(text: str, expected: str) -> None:
    assert expected == waits(text)


@pytest.mark.parametrize(
    "text",
    [
        "import requests; requests.codes.get('ok')",
        "import requests; requests.Request('GET', url)",
        "import requests; requests.Session()",
        "import requests; requests.Session().mount(a, b)",
        "import requests; requests.get(url).json()",
        "import httpx; httpx.Client()",
        "import httpx; httpx.URL(url)",
        "import time; time.time()",
        "import time; time.monotonic()",
        "{}.get('key')",
        "d = dict(); d.get('key')",
        "class Client:\n    def get(self, url): ...\nc = Client(); c.get(url)",
        "def get(url): ...\nget(url)",
        "def f(client): client.get(url)",
        "from acme import requests; requests.get(url)",
        "import subprocess; subprocess.Popen(a)",
        "import subprocess; subprocess.Popen(a).poll()",
        "import os; os.path.join(a, b)",
        "import os; os.getpid()",
        "import socket; socket.socket()",
        "import socket; socket.gethostname()",
        "from openai import OpenAI; OpenAI()",
        "import boto3; boto3.client('s3')",
        "import boto3; boto3.client('s3').generate_presigned_url(a)",
        "from google.cloud import storage; storage.Client().bucket(b).blob(n)",
        "from google.cloud import pubsub_v1 as p; p.PublisherClient().publish(t, d)",
        "import stripe; stripe.Webhook.construct_event(a)",
        "from kafka import KafkaProducer; KafkaProducer().send(t)",
        "from celery import Celery; app = Celery(); app.send_task(n)",
        "import redis; redis.Redis().get(k)",
        "from telegram import Update\ndef f(u: Update): u.message.to_dict()",
        "from telegram import InlineKeyboardButton; InlineKeyboardButton('x')",
        "from mine import update; update.message.reply_text('x')",
        "from aiogram.types import Message\ndef f(m: Message): m.model_dump()",
        "from discord import Message\ndef f(m: Message): m.channel.typing()",
        "from pydantic_ai import Agent; Agent(m).tool(f)",
        "from github import Github; Github(t)",
        "from minio import Minio; m = Minio(h); m.list_objects(b)",
        "from jira import Issue; Issue(o, s)",
        "from mcp.server.fastmcp import FastMCP; s = FastMCP('x'); s.tool()",
        "import aioboto3; aioboto3.Session()",
        "from selenium import webdriver; webdriver.ChromeOptions()",
        "import asyncio; asyncio.create_task(c)",
        "from django.core.mail import EmailMessage; EmailMessage(a)",
        "def input(text): ...\ninput('sure?')",
    ],
)
def test_a_call_does_not_wait(text: str) -> None:
    assert "" == waits(text)


def test_each_entry_says_what_it_waits_for() -> None:
    names = read_table("slow")["names"]
    assert [] == [name for name, entry in names.items() if entry["role"] != "slow" or not entry.get("slow")]
    assert Meaning(Role.NO_RAISE, slow="sleep") == builtin().meaning("time.sleep")


def test_a_user_adds_to_it() -> None:
    content = {
        "names": {
            "acme.ask": {"role": "slow", "slow": "the oracle"},
            "acme.wait": {"role": "slow"},
            "acme.nap": {"role": "no-raise", "slow": "sleep"},
            "acme.away": {"role": "calls", "argument": 1, "slow": "a worker"},
            "requests.get": {"role": "no-raise"},
        }
    }
    tables, mistakes = checked(content)
    assert [] == mistakes
    words = vocabulary(tables)
    calls = ["acme.ask()", "acme.wait()", "acme.nap()", "acme.away(1, f)", "acme.other()"]
    expected = ["the oracle", "something outside", "sleep", "a worker", ""]
    assert expected == [waits(f"import acme; {call}", words) for call in calls]
    assert ["", HTTP] == [waits(f"import requests; requests.{verb}(url)", words) for verb in ("get", "post")]


def test_only_what_can_wait_says_so() -> None:
    (mistake,) = checked({"names": {"acme.open": {"role": "factory", "slow": "x"}}})[1]
    assert "the role 'factory' has no 'slow'; it may have 'scope'" == mistake.what
    (mistake,) = checked({"names": {"acme.ask": {"role": "slow", "slow": True}}})[1]
    assert (".names] 'acme.ask' slow", "expected `str`, got `bool`") == (mistake.place, mistake.what)


def test_its_packages_are_not_known_for_what_they_do_with_sessions() -> None:
    said = {"openai", "paramiko", "requests", "stripe"}
    assert set() == said & builtin().libraries


CALLS = """import asyncio
import time
import requests
from acme import ask, session_of


def wait():
    return ask()


async def f(url):
    requests.get(url)
    wait()
    await asyncio.to_thread(requests.get, url)
    await asyncio.to_thread(wait)
    session_of()
    time.sleep(0)
    time.sleep(0.5)
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ["", HTTP, "", HTTP, ""]),
        ({"acme.ask": Meaning(Role.SLOW, slow="the oracle")}, ["the oracle", HTTP, "", HTTP, ""]),
        ({"module.wait": Meaning(Role.SLOW, slow="rain")}, ["", HTTP, "rain", HTTP, "rain"]),
        ({"asyncio.to_thread": Meaning(Role.CALLS, slow="a thread")}, ["", HTTP, "", "a thread", "a thread"]),
    ],
)
def test_calls_tell_what_they_wait_for(said: dict[str, Meaning], expected: list[str]) -> None:
    tree = ast.parse(CALLS)
    program = Program(vocabulary(Tables(tuple(said.items()))))
    module = program.add(Names(tree, "module"), Source("module.py", CALLS))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    assert [*expected, "", "", "sleep"] == [module.calls.waits_for(node) for node in nodes]


def test_a_slow_call_means_nothing_for_sessions() -> None:
    """What the body of a function says of sessions counts as before where the user says that it is slow."""
    text = "from sqlalchemy.orm import Session\n\n\ndef make(e):\n    return Session(e)\n\n\nmake(1)\n"
    tree = ast.parse(text)
    seen = []
    for said in ((), (("module.make", Meaning(Role.SLOW)),)):
        program = Program(vocabulary(Tables(said)))
        module = program.add(Names(tree, "module"), Source("module.py", text))
        call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno == 8)
        callee = module.calls.callee(call)
        seen.append((callee.meaning, callee.function, module.calls.waits_for(call)))
    make = tree.body[1]
    assert [(None, make, ""), (None, make, "something outside")] == seen
