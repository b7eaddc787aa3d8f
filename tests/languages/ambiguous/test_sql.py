"""Dialects of SQL by terse, ordinary and misleading snippets."""

from languages.ambiguous.telling import told_apart

CASES = [
    ("sql", "SQL", "SELECT 1;\n"),
    ("sql", "SQL", "-- users\nCREATE TABLE users (id serial PRIMARY KEY, name varchar(20));\n"),
    (
        "sql",
        "SQL",
        "DELIMITER $$\nCREATE PROCEDURE p()\n"
        "BEGIN\n  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;\n  SELECT 1;\nEND$$\nDELIMITER ;\n",
    ),
    ("sql", "SQL", "SET @total = 0;\nCREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT) ENGINE=InnoDB;\n"),
    ("sql", "SQL", "CREATE TRIGGER audit AFTER INSERT ON t FOR EACH ROW BEGIN INSERT INTO log VALUES (1); END;\n"),
    ("sql", "SQL", "BEGIN;\nINSERT INTO category VALUES (1, 'go');\nCOMMIT;\n"),
    ("sql", "PLpgSQL", "DO $$ BEGIN PERFORM 1; END $$;\n"),
    ("sql", "PLpgSQL", "CREATE FUNCTION f() RETURNS int AS $body$\nBEGIN RETURN 1; END\n$body$ LANGUAGE plpgsql;\n"),
    ("sql", "PLpgSQL", "\\i setup.sql\nSELECT plan(3);\n"),
    ("sql", "PLpgSQL", "CREATE FUNCTION f(x int) RETURNS SETOF text\nLANGUAGE sql\nAS 'SELECT 1';\n"),
    ("sql", "PLpgSQL", "-- the trigger\ncreate trigger t before update on x for each row execute procedure touch();\n"),
    ("sql", "TSQL", "DECLARE @n INT = 1;\nPRINT @n\n"),
    ("sql", "TSQL", "USE master\nGO\nCREATE TABLE t (id INT)\nGO\n"),
    ("sql", "TSQL", "SELECT TOP 10 * FROM [dbo].[users] WITH (NOLOCK);\n"),
    ("sql", "TSQL", "CREATE PROCEDURE report @from date, @to date\nAS\nSELECT 1\n"),
    ("sql", "TSQL", "-- $$ is not a body here\nIF OBJECT_ID(N'dbo.t') IS NOT NULL DROP TABLE dbo.t\n"),
    ("sql", "PLSQL", "BEGIN\n  DBMS_OUTPUT.PUT_LINE('hello');\nEND;\n/\n"),
    (
        "sql",
        "PLSQL",
        "create or replace procedure raise_pay (who in number) is\n"
        "begin\n  update emp set pay = pay * 2 where id = who;\nend;\n",
    ),
    ("sql", "PLSQL", "CREATE TABLE t (name VARCHAR2(20));\n"),
    ("sql", "PLSQL", "REM drops the schema\nPROMPT dropping\nDROP TABLE t;\n"),
    ("sql", "PLSQL", "DECLARE\n  n NUMBER;\nBEGIN\n  n := 1;\nEND;\n"),
    ("sql", "SQLPL", "--#SET TERMINATOR @\nCREATE PROCEDURE p () BEGIN END @\n"),
    (
        "sql",
        "SQLPL",
        "CREATE TRIGGER t AFTER UPDATE ON x FOR EACH ROW MODE DB2SQL BEGIN ATOMIC SET n.a = 1; END\n",
    ),
    ("sql", "SQLPL", "CONNECT TO sample;\nSELECT tabname FROM syscat.tables;\n"),
    (
        "sql",
        "SQLPL",
        "CREATE PROCEDURE p (IN a INT)\n"
        "LANGUAGE SQL\nP1: BEGIN\n  DECLARE c1 CURSOR WITH RETURN FOR SELECT 1 FROM t;\n  OPEN c1;\nEND P1\n",
    ),
    ("prc", "PLSQL", "create or replace procedure p is\nbegin\n  null;\nend;\n/\n"),
    ("prc", "PLSQL", "-- anonymous\nbegin\n  x := 1;\nend;\n"),
    ("prc", "SQL", "CREATE PROCEDURE p AS SELECT 1;\n"),
]


test_settles = told_apart(CASES)
