"""What administrators and packagers write."""

from languages.ambiguous.telling import told_apart

CASES = [
    ("pp", "Puppet", "class ntp {\n  package { 'ntp': ensure => installed }\n}\n"),
    ("pp", "Puppet", "# site\ninclude ntp\n"),
    ("pp", "Puppet", "node default { }\n"),
    ("pp", "Pascal", "{ a program }\nprogram a;\nbegin\nend.\n"),
    ("pp", "Pascal", "unit u;\ninterface\nimplementation\nend.\n"),
    ("pp", "Pascal", "// constants\nx := 1;\n"),
    ("pc", "pkg-config", "Name: a\nDescription: b\nVersion: 1\n"),
    ("pc", "pkg-config", "prefix=/usr\n"),
    ("pc", "Pro*C", "#include <stdio.h>\nint main(void) { EXEC SQL COMMIT; }\n"),
    ("spec", "RPM Spec", "Name: a\nVersion: 1\n%description\nA.\n"),
    ("spec", "RPM Spec", "%global x 1\n"),
    ("spec", "RPM Spec", "# nothing\n"),
    ("spec", "Python", '# -*- mode: python -*-\na = Analysis(["a.py"])\npyz = PYZ(a.pure)\n'),
    ("spec", "Python", "import os\n"),
    ("spec", "Ruby", 'describe Foo do\n  it "works" do\n  end\nend\n'),
    ("spec", "Ruby", 'require "spec_helper"\n'),
    ("sls", "Salt", "nginx:\n  pkg.installed: []\n"),
    ("sls", "Salt", "{% set x = 1 %}\n"),
    ("sls", "Scheme", ";; lib\n(library (a) (export) (import (rnrs)))\n"),
    ("sls", "Scheme", "#!r6rs\n(import (rnrs))\n"),
    ("vhost", "ApacheConf", "<VirtualHost *:80>\nServerName a\n</VirtualHost>\n"),
    ("vhost", "Nginx", "server {\n  listen 80;\n}\n"),
    ("vhost", "Nginx", "# c\nserver_name a;\n"),
    ("rsc", "RouterOS Script", "/ip address\nadd address=10.0.0.1/24\n"),
    ("rsc", "RouterOS Script", ":local x 1\n:put $x\n"),
    ("rsc", "RouterOS Script", "# backup\n"),
    ("rsc", "Rascal", 'module Hello\nimport IO;\nvoid main() { println("x"); }\n'),
    ("rsc", "Rascal", "data Exp = num(int n);\n"),
    ("rsc", "Rascal", "// nothing\n"),
    ("trigger", "Apex", "trigger T on Account (before insert) {}\n"),
    ("trigger", "Shell", "#!/bin/sh\necho hi\n"),
    ("trigger", "Shell", "# c\nset -e\n"),
]


test_settles = told_apart(CASES)
