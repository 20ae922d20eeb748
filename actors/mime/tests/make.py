#!/usr/bin/env python3
"""Writes the messages in eml/, which are kept: `make.py FOLDER`. Each is named after what is odd about it."""

import base64
import pathlib
import sys
from datetime import datetime, timedelta, timezone

FOLDER = pathlib.Path(sys.argv[1])
MADE = 0


def write(name, data, crlf=True):
    global MADE
    data = data.encode() if isinstance(data, str) else data
    data = data.replace(b"\r\n", b"\n")
    (FOLDER / f"{name}.eml").write_bytes(data.replace(b"\n", b"\r\n") if crlf else data)
    MADE += 1


def head(name, subject="Report", sender="Alice Example <alice@example.com>", to="bob@example.org", date=None, extra=""):
    date = date or "Sun, 01 Nov 2026 09:30:00 +0100"
    return f"From: {sender}\nTo: {to}\nSubject: {subject}\nDate: {date}\nMessage-ID: <{name}@example.com>\nMIME-Version: 1.0\n{extra}"


def b64(data):
    data = data.encode() if isinstance(data, str) else data
    return base64.encodebytes(data).decode()


def simple(name, body, subject="Report", kind="text/plain; charset=utf-8", cte="8bit", extra="", **more):
    top = head(name, subject, extra=extra, **more) + f"Content-Type: {kind}\nContent-Transfer-Encoding: {cte}\n\n"
    write(name, top.encode() + (body.encode() if isinstance(body, str) else body))


def part(kind, body, *headers):
    return "\n".join([f"Content-Type: {kind}", *headers, "", body])


def multi(kind, boundary, *parts, end=True, preamble=""):
    inner = "".join(f"--{boundary}\n{one}\n" for one in parts)
    return f'Content-Type: {kind}; boundary="{boundary}"\n\n{preamble}{inner}' + (f"--{boundary}--\n" if end else "")


PLAIN = part("text/plain; charset=utf-8", "Hello Bob,\n\nthe figures are below.\n", "Content-Transfer-Encoding: 8bit")
HTML = part("text/html; charset=utf-8", "<p>Hello <b>Bob</b>,</p><p>the figures are below.</p>\n", "Content-Transfer-Encoding: 8bit")
PNG = part("image/png", b64(b"\x89PNG\r\n\x1a\n" + bytes(range(64))), "Content-Transfer-Encoding: base64")
PDF = b"%PDF-1.4\n" + b"not really\n" * 20


def attached(name_param, data=PDF, kind="application/pdf", disposition="attachment"):
    return part(kind, b64(data), "Content-Transfer-Encoding: base64", f"Content-Disposition: {disposition}; {name_param}")


# --- Plain texts, in every encoding and charset. ---
simple("plain", "Hello,\n\nplease look at the draft by Friday.\n\n-- \nAlice\n")
write("plain-lf", head("plain-lf") + "\nOnly line feeds here.\nAnd a second line.\n", crlf=False)
write("plain-no-mime", "From: a@example.com\nTo: b@example.com\nSubject: old\nDate: Mon, 2 Jan 2006 15:04:05 -0700\nMessage-ID: <old@example.com>\n\nNo MIME at all.\n")
simple("qp-utf8", "Gr=C3=BC=C3=9Fe aus K=C3=B6ln, soft=\n break and trailing  =20\nend =3D end\n", cte="quoted-printable")
simple("qp-latin1", "Caf=E9 cr=E8me\n", kind="text/plain; charset=iso-8859-1", cte="quoted-printable")
simple("qp-broken", "50% =off =ZZ and =C3=BC\nlast =", cte="quoted-printable")
simple("base64-utf8", b64("Привет, мир.\nВторая строка.\n"), cte="base64")
simple("base64-no-padding", "SGVsbG8gd29ybGQ", cte="base64")
simple("base64-junk", "SGVs!bG8g\n*d29y*bGQ=\n", cte="base64")
simple("base64-in-pieces", "SGVsbG8=\nIHdvcmxk\n", cte="base64")
simple("uuencode", "begin 644 note.txt\n#0V%T\n`\nend\n", cte="x-uuencode")
simple("encoding-unknown", "As it is.\n", cte="x-secret")
simple("encoding-8-bit", "Written as 8-bit.\n", cte="8-BIT")
simple("koi8-r", "Все счастливые семьи похожи друг на друга.\n".encode("koi8-r"), kind="text/plain; charset=koi8-r")
simple("windows-1251", "Съешь ещё этих мягких французских булок.\n".encode("cp1251"), kind='text/plain; charset="windows-1251"')
simple("windows-1252", "Preis: € 50 – „fest“ …\n".encode("cp1252"), kind="text/plain; charset=Windows-1252")
simple("iso-8859-15", "Kosten: 50 €, œuvre\n".encode("iso-8859-15"), kind="text/plain; charset=ISO-8859-15")
simple("iso-8859-7", "Καλημέρα κόσμε\n".encode("iso-8859-7"), kind="text/plain; charset=iso-8859-7")
simple("iso-8859-2", "Příliš žluťoučký kůň\n".encode("iso-8859-2"), kind="text/plain; charset=iso-8859-2")
simple("windows-1254", "İstanbul'da güneşli bir gün\n".encode("cp1254"), kind="text/plain; charset=windows-1254")
simple("windows-1255", "שלום עולם\n".encode("cp1255"), kind="text/plain; charset=windows-1255")
simple("windows-1256", "مرحبا بالعالم\n".encode("cp1256"), kind="text/plain; charset=windows-1256")
simple("tis-620", "สวัสดีชาวโลก\n".encode("tis-620"), kind="text/plain; charset=tis-620")
simple("gb2312", "你好，世界。\n".encode("gb2312"), kind="text/plain; charset=gb2312")
simple("gb18030", "你好，世界。𠀀\n".encode("gb18030"), kind="text/plain; charset=gb18030")
simple("big5", "你好，世界。\n".encode("big5"), kind="text/plain; charset=big5")
simple("shift-jis", "こんにちは、世界。\n".encode("shift_jis"), kind="text/plain; charset=Shift_JIS")
simple("euc-jp", "こんにちは、世界。\n".encode("euc-jp"), kind="text/plain; charset=euc-jp")
simple("euc-kr", "안녕하세요, 세계.\n".encode("euc-kr"), kind="text/plain; charset=ks_c_5601-1987")
simple("iso-2022-jp", "明日の会議は10時からです。\n".encode("iso-2022-jp"), kind="text/plain; charset=ISO-2022-JP", cte="7bit")
simple("utf-7", "Gr+APwA3w-e\n", kind="text/plain; charset=utf-7", cte="7bit")
simple("utf-16", base64.encodebytes("Zwei Bytes: ä\n".encode("utf-16")), kind="text/plain; charset=utf-16", cte="base64")
simple("utf-8-mark", "\ufeffWith a byte order mark.\n")
simple("charset-missing", "Größe: 5 m², naïve façade, Überraschung für alle Kinder im Garten.\n".encode("latin-1"), kind="text/plain")
simple("charset-lies", "Größe: 5 m², naïve façade, Überraschung für alle Kinder im Garten.\n".encode("latin-1"))
simple("charset-damaged", "Gr\u00fc\u00dfe und viele \u00e4\u00f6\u00fc ".encode() + b"\xff" + " mit einem Fehler\n".encode())
simple("charset-unknown", "Nothing odd.\n", kind="text/plain; charset=x-klingon")
simple("charset-ascii-lies", "Grüße\n", kind="text/plain; charset=us-ascii")
simple("nul-bytes", b"A\x00B\x07C\n")
simple("flowed", "This is a long paragraph \nthat was wrapped by a \nprogram.\n> A quote that is \n> wrapped too.\n>> Deeper.\n-- \nAlice\n", kind="text/plain; charset=utf-8; format=flowed")
simple("flowed-delsp", "日本語の \n文章 \nです。\n From here\n", kind="text/plain; charset=utf-8; format=flowed; delsp=yes")
simple("empty-body", "")
write("header-only", "From: a@example.com\nSubject: nothing more\nMessage-ID: <ho@example.com>")
write("empty", "")
write("text-only", "Just words, no header at all\n\nand more words.\n")

# --- Headers. ---
simple("subject-q", "x\n", subject="=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=")
simple("subject-b-mixed", "x\n", subject="=?iso-8859-1?Q?Caf=E9?= =?utf-8?B?4oKsIDUw?= plain =?koi8-r?B?98/Wy8E=?=")
simple("subject-split-character", "x\n", subject="=?UTF-8?B?44GT44KT44Gr44Gh44Gv5L?=\n =?UTF-8?B?iW55WM?= =?utf-8?q?_tail_=F0=9F=8E?= =?utf-8?q?=89?=")
simple("subject-split-jis", "x\n", subject="=?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=\n =?ISO-2022-JP?B?GyRCJE4kNDBGRmIbKEI=?=")
simple("subject-language", "x\n", subject="=?utf-8*en?Q?Hello_w=C3=B6rld?=")
simple("subject-unfinished-word", "x\n", subject="=?utf-8?Q?never_ends")
simple("subject-spaces-in-word", "x\n", subject="=?utf-8?Q?Gr=C3=BC=C3=9Fe aus Bonn?=")
simple("subject-unknown-charset", "x\n", subject="=?x-klingon?Q?nuqneH?=")
simple("subject-folded", "x\n", subject="A subject that\n goes on\n\tand on")
simple("subject-empty", "x\n", subject="")
simple("subject-bidi", "x\n", subject="Invoice \u202egpj.exe\u202c now")
simple("subject-control", b"x\n", subject="Bell\x07 and\x00nul\x1bescape")
simple("subject-long", "x\n", subject="word " * 600)
write("raw-latin1-header", "From: Jörg Müller <jm@example.de>\nTo: alice@example.com\nSubject: Grüße aus Köln für Ümit\nMessage-ID: <raw8@example.de>\n\nRohe Zeichen: äöü\n".encode("latin-1"))
write("raw-koi8-header", "From: Иван Петров <ivan@example.ru>\nTo: alice@example.com\nSubject: Встреча завтра утром в офисе\nMessage-ID: <rawk@example.ru>\n\nx\n".encode("koi8-r"))
write("raw-sjis-header", "From: 田中太郎 <taro@example.jp>\nTo: alice@example.com\nSubject: 会議の資料をお送りします\nMessage-ID: <rawsj@example.jp>\n\nx\n".encode("shift_jis"))
write("raw-jis-header", "From: taro@example.jp\nTo: alice@example.com\nSubject: 会議の資料\nMessage-ID: <rawj@example.jp>\n\nx\n".encode("iso-2022-jp"))
write("eai", "From: Дмитрий <дмитрий@пример.рф>\nTo: alice@example.com\nSubject: Привет 🎉\nMessage-ID: <eai@example.ru>\nContent-Type: text/plain; charset=utf-8\n\nТест\n")
write("from-line", "From alice@example.com Sun Nov  1 09:30:00 2026\n" + head("from-line") + "\nFrom an mbox file.\n")
write("header-broken-line", "From: a@example.com\nthis line is no field\nSubject: still read\nMessage-ID: <hb@example.com>\n\nbody\n")
write("header-missing-blank", "From: a@example.com\nSubject: no empty line\nHello, this is already the text.\n\nAnd more.\n")
write("header-space-colon", "From : a@example.com\nSubject\t: blanks before the colon\nMessage-ID: <sc@example.com>\n\nbody\n")
write("header-twice", "From: a@example.com\nSubject: first\nSubject: second\nReceived: by one\nReceived: by two\nX-Odd: 1\nx-odd: 2\nMessage-ID: <tw@example.com>\n\nbody\n")
write("header-long", "From: a@example.com\nX-Long: " + "y" * 70000 + "\nSubject: after the long one\nMessage-ID: <hl@example.com>\n\nbody\n")
simple("addresses-groups", "x\n", sender='"Doe, John (Sales)" <john@example.com> (work)', to='Team: a@example.com, "B, C" <b@example.com>;, undisclosed-recipients:;', extra="Cc: <@relay.example:route@example.com>\n")
simple("addresses-encoded", "x\n", sender="=?utf-8?Q?M=C3=BCller=2C_J=C3=B6rg?= <jm@example.de>", to="=?gb2312?B?1tC5+g==?= <c@example.cn>, =?euc-kr?B?x9GxuQ==?= <k@example.kr>")
simple("addresses-split-name", "x\n", sender="=?utf-8?B?5bGx55Sw5?= =?utf-8?B?aSq6YOO?= <y@example.jp>")
simple("addresses-quoted-encoded", "x\n", sender='"=?utf-8?Q?J=C3=B6rg?=" <jorg@example.de>')
simple("addresses-odd", "x\n", sender="alice@example.com (Alice)", to="<bob@example.org>, carol@example.net,, dave", extra="Cc: \nReply-To: list@example.com\nSender: secretary@example.com\n")
simple("addresses-many", "x\n", to=",\n ".join(f"Person {n} <p{n}@example.com>" for n in range(120)))
for at, (name, date) in enumerate({
    "date-no-weekday": "1 Nov 2026 10:00 +0100",
    "date-two-digit-year": "Sun, 1 Nov 26 10:00:00 EST",
    "date-zone-name": "Sun, 01 Nov 2026 10:00:00 PDT",
    "date-comment": "Sun, 01 Nov 2026 10:00:00 +0000 (GMT)",
    "date-half-hour": "Sun, 01 Nov 2026 10:00:00 +0530",
    "date-west": "Sun, 01 Nov 2026 10:00:00 -0330",
    "date-impossible": "Sun, 31 Feb 2026 25:61:00 +0000",
    "date-words": "yesterday",
    "date-leap-second": "Sat, 31 Dec 2016 23:59:60 +0000",
}.items()):
    simple(name, "x\n", date=date)
simple("ids-odd", "x\n", extra="In-Reply-To: Your message of Monday <q1@example.com>\nReferences: <r1@example.com><r2@example.com>\n\t<r3@example.com> (comment)\n")
simple("ids-many", "x\n", extra="References: " + "\n ".join(f"<m{n}@example.com>" for n in range(80)) + "\n")

# --- Parts. ---
write("alternative", head("alternative", "=?utf-8?Q?Angebot_f=C3=BCr_M=C3=BCller?=") + multi("multipart/alternative", "b1", PLAIN, HTML))
write("alternative-html-only", head("aho") + multi("multipart/alternative", "b1", HTML))
related = multi("multipart/related", "b2", HTML.replace("below.", 'below. <img src="cid:logo" alt="Our logo">'), PNG.replace("\n\n", "\nContent-ID: <logo>\nContent-Disposition: inline; filename=logo.png\n\n", 1))
write("alternative-related", head("ar") + multi("multipart/alternative", "b1", PLAIN, related))
write("mixed-alternative-related", head("mar") + multi("multipart/mixed", "b0", multi("multipart/alternative", "b1", PLAIN, related), attached('filename="figures.pdf"')))
write("mixed-two-texts", head("mtt") + multi("multipart/mixed", "b0", PLAIN, attached("filename=a.pdf"), part("text/plain", "-- \nList footer\n")))
write("mixed-alternative-footer", head("maf") + multi("multipart/mixed", "b0", multi("multipart/alternative", "b1", PLAIN, HTML), part("text/plain", "Sent to the <list>.\n")))
write("attachment-rfc2231", head("a2231") + multi("multipart/mixed", "b0", PLAIN, attached("filename*=utf-8''Rechnung%20f%C3%BCr%20M%C3%A4rz.pdf")))
write("attachment-rfc2231-continued", head("a2231c") + multi("multipart/mixed", "b0", PLAIN, attached("filename*0*=utf-8''gr%C3%BC;\n filename*1*=%C3%9Fe-;\n filename*2=\"end.pdf\"")))
write("attachment-rfc2231-split", head("a2231s") + multi("multipart/mixed", "b0", PLAIN, attached("filename*0*=utf-8''gr%C3;\n filename*1*=%BC%C3%9Fe.pdf")))
write("attachment-rfc2231-latin1", head("a2231l") + multi("multipart/mixed", "b0", PLAIN, attached("filename*0*=iso-8859-1'de'gr%FC;\n filename*1*=%DFe.pdf")))
write("attachment-rfc2047-name", head("a2047") + multi("multipart/mixed", "b0", PLAIN, attached('filename="=?utf-8?Q?gr=C3=BC=C3=9Fe.pdf?="')))
write("attachment-rfc2047-long", head("a2047l") + multi("multipart/mixed", "b0", PLAIN, attached('filename="=?utf-8?B?UmVjaG51bmcgZsO8ciBNw6Ry?=\n =?utf-8?B?eiAyMDI2LnBkZg==?="')))
write("attachment-raw-latin1-name", (head("arl") + multi("multipart/mixed", "b0", PLAIN, attached('filename="Übersicht für März.pdf"'))).encode("latin-1"))
write("attachment-name-only", head("ano") + multi("multipart/mixed", "b0", PLAIN, part('application/octet-stream; name="data.bin"', "AAEC\n", "Content-Transfer-Encoding: base64")))
write("attachment-unnamed", head("au") + multi("multipart/mixed", "b0", PLAIN, part("application/pdf", b64(PDF), "Content-Transfer-Encoding: base64")))
write("attachment-evil-names", head("aen") + multi("multipart/mixed", "b0", PLAIN, *(attached(f'filename="{name}"') for name in ["../../etc/passwd", "C:\\\\Windows\\\\system32\\\\evil.exe", ".bashrc", "CON.pdf", "invoice\u202efdp.exe", "a" * 300 + ".pdf", "same.pdf", "SAME.pdf", "..", "nul", "-rf", "trailing. ", "what?.pdf"])))
write("attachment-text-inline-named", head("atin") + multi("multipart/mixed", "b0", PLAIN, part('text/plain; name="notes.txt"', "Notes.\n", 'Content-Disposition: inline; filename="notes.txt"')))
write("attachment-csv", head("acsv") + multi("multipart/mixed", "b0", PLAIN, part("text/csv; charset=utf-8", "a;b\n1;2\n", 'Content-Disposition: attachment; filename="daten.csv"')))
write("attachment-html", head("ahtml") + multi("multipart/mixed", "b0", PLAIN, part("text/html", "<p>A page</p>\n", 'Content-Disposition: attachment; filename="page.html"')))
write("attachment-unquoted-spaces", head("aus") + multi("multipart/mixed", "b0", PLAIN, attached("filename=annual report 2026.pdf")))
write("attachment-only", head("ao", extra="Content-Type: application/pdf; name=only.pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=only.pdf\n") + "\n" + b64(PDF))
write("inline-image", head("ii") + multi("multipart/mixed", "b0", PLAIN, PNG.replace("\n\n", "\nContent-Disposition: inline; filename=photo.png\n\n", 1)))
inner = head("inner", "Inner message", "Carol <carol@example.net>") + multi("multipart/mixed", "bi", PLAIN, attached("filename=inner.pdf"))
plain_inner = head("pinner", "Plain inner") + "Content-Type: text/plain\n\nInner text.\n"
write("nested-message", head("nm", "Fwd: Inner message") + multi("multipart/mixed", "b0", PLAIN, part("message/rfc822", inner)))
write("nested-message-plain", head("nmp") + multi("multipart/mixed", "b0", PLAIN, part("message/rfc822", plain_inner, "Content-Disposition: attachment; filename=mail.eml")))
deep = inner
for level in range(3):
    deep = head(f"deep{level}", "Fwd: " * (level + 1) + "Inner message") + multi("multipart/mixed", f"bd{level}", PLAIN, part("message/rfc822", deep))
write("nested-message-deep", deep)
write("nested-message-base64", head("nmb") + multi("multipart/mixed", "b0", PLAIN, part("message/rfc822", b64(plain_inner), "Content-Transfer-Encoding: base64")))
write("nested-message-alone", head("nma", extra="Content-Type: message/rfc822\n") + "\n" + inner)
write("digest", head("digest") + multi("multipart/digest", "b0", "\n" + plain_inner, "\n" + plain_inner.replace("Plain inner", "Second")))
write("multipart-no-end", head("mne") + multi("multipart/mixed", "b0", PLAIN, attached("filename=cut.pdf"), end=False))
write("multipart-cut", (head("mc") + multi("multipart/mixed", "b0", PLAIN, attached("filename=cut.pdf"))).encode()[:700])
write("multipart-no-boundary", head("mnb", extra="Content-Type: multipart/mixed\n") + "\nThere is no boundary.\n")
write("multipart-wrong-boundary", head("mwb", extra="Content-Type: multipart/mixed; boundary=one\n") + f"\n--two\n{PLAIN}\n--two--\n")
write("multipart-empty", head("me", extra="Content-Type: multipart/mixed; boundary=b0\n") + "\n--b0--\n")
write("multipart-preamble", head("mp") + multi("multipart/mixed", "b0", PLAIN, preamble="This is a message in MIME format.\n\n") + "epilogue\n")
write("multipart-prefix-boundaries", head("mpb") + multi("multipart/mixed", "b", multi("multipart/alternative", "bb", PLAIN, HTML), attached("filename=x.pdf")))
write("multipart-boundary-in-text", head("mbt") + multi("multipart/mixed", "b0", part("text/plain", "In a line --b0 is no boundary.\n--b0x neither.\n")))
write("multipart-blank-after-boundary", (head("mba") + multi("multipart/mixed", "b0", PLAIN, HTML)).replace("--b0\n", "--b0  \t\n"))
write("multipart-odd-boundary", head("mob", extra="Content-Type: multipart/mixed; boundary=\"=_'()+,-./:?\"\n") + f"\n--=_'()+,-./:?\n{PLAIN}\n--=_'()+,-./:?--\n")
write("multipart-nested-deep", head("mnd") + "".join(f"Content-Type: multipart/mixed; boundary=n{n}\n\n--n{n}\n" for n in range(40)) + "Content-Type: text/plain\n\nAt the bottom.\n")
write("part-no-header", head("pnh", extra="Content-Type: multipart/mixed; boundary=b0\n") + "\n--b0\n\nNo header at all.\n--b0--\n")
write("signed-pgp", head("sp") + multi('multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"', "b0", PLAIN, part("application/pgp-signature; name=signature.asc", "-----BEGIN PGP SIGNATURE-----\nxx\n-----END PGP SIGNATURE-----\n")))
write("encrypted-pgp", head("ep") + multi('multipart/encrypted; protocol="application/pgp-encrypted"', "b0", part("application/pgp-encrypted", "Version: 1\n"), part("application/octet-stream; name=encrypted.asc", "-----BEGIN PGP MESSAGE-----\nxx\n-----END PGP MESSAGE-----\n")))
write("signed-smime", head("ss") + multi('multipart/signed; protocol="application/pkcs7-signature"', "b0", PLAIN, part("application/pkcs7-signature; name=smime.p7s", "MAsGCSqGSIb3DQEHAg==\n", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=smime.p7s")))
write("encrypted-smime", head("es", extra="Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n") + "\nMAsGCSqGSIb3DQEHAw==\n")
write("tnef", head("tnef") + multi("multipart/mixed", "b0", PLAIN, part("application/ms-tnef; name=winmail.dat", "eJ8+IgAAAAA=\n", "Content-Transfer-Encoding: base64")))
write("bounce", head("bounce", "Undelivered Mail Returned to Sender", "MAILER-DAEMON@example.com") + multi("multipart/report; report-type=delivery-status", "b0", part("text/plain", "It failed.\n"), part("message/delivery-status", "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; no@example.com\nAction: failed\nStatus: 5.1.1\n"), part("message/rfc822-headers", "Subject: the original\n")))
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@example.com\r\nDTSTART:20261102T100000Z\r\nSUMMARY:Besprechung\\, Köln\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
write("invitation", head("inv", "Invitation") + multi("multipart/mixed", "b0", multi("multipart/alternative", "b1", PLAIN, HTML, part("text/calendar; charset=utf-8; method=request", b64(ICS), "Content-Transfer-Encoding: base64")), part("application/ics; name=invite.ics", b64(ICS), "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=invite.ics")))
write("appledouble", head("ad") + multi("multipart/mixed", "b0", PLAIN, multi("multipart/appledouble", "b1", part("application/applefile; name=doc.pdf", "AAUWBw==\n", "Content-Transfer-Encoding: base64"), attached("filename=doc.pdf"))))
write("many-parts", head("many") + multi("multipart/mixed", "b0", *(part("text/plain", f"Part {n}.\n", f"Content-Disposition: attachment; filename={n}.txt") for n in range(30))))
write("external-body", head("ext") + multi("multipart/mixed", "b0", PLAIN, part('message/external-body; access-type=URL; URL="http://example.com/x"', "Content-Type: image/png\n\n")))

# --- HTML. ---
def page(name, html):
    write(name, head(name, extra="Content-Type: text/html; charset=utf-8\n") + "\n" + html)


page("html-newsletter", """<html><head><title>News</title><style>p {color:red}</style></head><body>
<div style="display:none">hidden preview text</div><table width="100%"><tr><td><h1>News of the week</h1>
<p>First &amp; foremost: <a href="https://example.com/a?x=1&amp;y=2">read this</a>.</p><ul><li>One</li><li>Two</li></ul></td></tr></table>
<img src="https://tracker.example.com/pixel.gif" width="1" height="1"><img src="https://example.com/b.png" alt="A banner">
<script>alert("never seen")</script><!-- a comment --></body></html>
""")
page("html-table", "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Apples</td><td>2 €</td></tr><tr><td>Pears</td><td>3 €</td></tr></table>\n")
page("html-quote", "<p>Yes.</p><blockquote><p>Shall we?</p><blockquote><p>Maybe.</p></blockquote></blockquote><pre>code  here\n  indented</pre>\n")
page("html-hidden", "<p>Seen.</p><span style='opacity:0'>not seen 1</span><div hidden>not seen 2</div><p style=\"VISIBILITY: hidden !important\">not seen 3</p><p>Seen too.</p>\n")
page("html-broken", "<p>Unclosed <b>bold <a href=\"javascript:alert(1)\">script link</a><p>next</div></td><table><tr><td>cell")
page("html-unclosed-script", "<p>Before.</p><script>var x = 1;")
simple("html-qp", "<p>Caf=E9 &amp; Cr=E8me</p><p>so=\nft</p>\n", kind="text/html; charset=iso-8859-1", cte="quoted-printable")
simple("html-says-other-charset", "<html><head><meta charset=utf-8></head><p>Grüße</p></html>\n".encode("latin-1"), kind="text/html; charset=iso-8859-1")

# --- A conversation. ---
start, ids = datetime(2026, 11, 1, 9, 0, tzinfo=timezone.utc), []
for n in range(5):
    when = (start + timedelta(hours=n)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    answer = f"In-Reply-To: <{ids[-1]}@example.com>\nReferences: {' '.join(f'<{one}@example.com>' for one in ids)}\n" if ids else ""
    simple(f"thread-{n}", f"Message {n}.\n", subject=("Re: " if n else "") + "Budget", sender=f"Person {n} <p{n}@example.com>", date=when, extra=answer)
    ids.append(f"thread-{n}")
print(MADE, "messages")
