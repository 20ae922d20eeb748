//! HTML as a reader sees it.

use mime::html_as_text;

#[test]
fn html_as_it_is_seen() {
    for (html, text) in [
        ("<p>One<p>Two", "One\n\nTwo\n"),
        ("a<br>b<br/>c", "a\nb\nc\n"),
        ("<ul><li>One<li>Two<ul><li>Deeper</ul></ul>", "* One\n* Two\n  * Deeper\n"),
        ("<ol start=3><li>x<li>y</ol>", "3. x\n4. y\n"),
        ("<a href='https://x.example/'>here</a>", "[here][1]\n\n[1]: https://x.example/\n"),
        ("<a href='javascript:x()'>here</a>", "here\n"),
        ("<img src=http://x/y.png alt='A cat'><img src=pixel.gif>", "[A cat]\n"),
        ("<b>bold</b> <i>it</i> <font color=red>red</font>", "bold it red\n"),
        ("&lt;b&gt; &amp; &euro; &#8364;", "<b> & € €\n"),
        ("<div style='Display : NONE'>no</div>yes", "yes\n"),
        ("<p style=display:none>no<p>yes", "yes\n"),
        ("<p hidden>no<b>no</b></p>yes", "yes\n"),
        ("<td style='font-size:0px'><div style='font-size:13px'>yes</div>", "yes\n"),
        ("<div style='max-height:0;overflow:hidden'>no<div>no</div>no</div>yes", "yes\n"),
        ("<body style=display:none>yes", "yes\n"),
        ("<style>p{}</style><script>x</script><title>t</title>yes", "yes\n"),
        ("<input type=hidden value=x>yes", "yes\n"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a b\nc d\n"),
        ("<table>stray<tr>x<td>cell</table>", "stray\nx     cell\n"),
        ("</div></p></td>yes</table>", "yes\n"),
        ("\u{200c}\u{a0}\u{200c}<p>yes", "yes\n"),
        ("", ""),
    ] {
        assert_eq!(html_as_text(html).0, text, "{html:?}");
    }
    let paragraphs = html_as_text(&"<p>x".repeat(500)).0;
    assert_eq!(paragraphs.matches('x').count(), paragraphs.lines().filter(|line| *line == "x").count());
}
