"""`.sql`, `.prc`: standard SQL and the procedural dialects of Oracle, PostgreSQL, Microsoft and DB2.

A dialect is told by what only its server (or its command line client) reads: batches that end with GO, bodies in $$, a
slash on a line of its own. MySQL's procedures are "SQL": the table has no name for them. So are dumps without any code.
"""

from starloom.languages.ambiguous.rule import Rule

_MY_SQL = (
    r"(?i)^[ \t]*delimiter[ \t]+\S|\bengine[ \t]*=[ \t]*(?:innodb|myisam|memory|aria)\b|/\*!\d{5}"
    r"|\bauto_?increment\b|\bsql_mode\b"
)

_PL_PGSQL = (
    r"(?i)\bplpgsql\b|\bas[ \t]*(?:\r?\n[ \t]*)?\$\w{0,40}\$"
    r"|^[ \t]*do[ \t]*(?:\r?\n[ \t]*)?(?:language[ \t]+\w+[ \t]+)?\$\w{0,40}\$"
    r"|^\\(?:i|ir|c|connect|set|unset|echo|qecho|timing|pset|copy|if|elif|else|endif|gset|gexec|o"
    r"|q|quit|encoding|t|x|a|d\w?\+?|prompt)\b"
    r"|\breturns[ \t\r\n]+(?:setof\b|trigger\b|table[ \t]*\()|\braise[ \t]+(?:notice|exception"
    r"|warning|info|debug)\b"
    r"|^[ \t]*perform[ \t]+\w|\blanguage[ \t]+['\"]?(?:c|internal|pl(?:perl|python|tcl|r"
    r"|v8)\w*)['\"]?[ \t]*(?:;|\r?$|immutable|stable|volatile|strict|parallel|cost)"
    r"|\bexecute[ \t]+(?:procedure|function)[ \t]+[\w.\"]+[ \t]*\(|\blanguage[ \t]+'sql'"
    r"|\bpg_catalog\.\w+\("
)

_T_SQL = (
    r"(?i)^[ \t]*go[ \t]*;?[ \t]*(?:--[^\n]*)?\r?$|\bdeclare[ \t\r\n]+@\w|\[?\bdbo\]?\.\[?\w"
    r"|\[dbo\]"
    r"|\b(?:create|alter|drop)[ \t]+proc\b|\b(?:begin|end)[ \t]+(?:try|catch)\b"
    r"|\bbegin[ \t]+tran\b|\b(?:commit|rollback)[ \t]+tran\b"
    r"|\bset[ \t]+(?:nocount|quoted_identifier|ansi_\w+|identity_insert|xact_abort|statistics"
    r"|rowcount|showplan_\w+|arithabort|dateformat|deadlock_priority)\b"
    r"|@@(?:rowcount|error|identity|trancount|fetch_status|spid|version|servername|procid|dbts"
    r"|nestlevel)\b"
    r"|\b(?:sp|xp)_(?:executesql|help\w*|rename|cmdshell|adduser|addrole\w*|addextendedproperty"
    r"|configure|dboption|who2?|msforeach\w+|depends|spaceused|droprole\w*|addlogin|grantdbaccess"
    r"|add_job\w*|oacreate|settriggerorder)\b"
    r"|\bobject_id[ \t]*\([ \t]*N?'|\bidentity[ \t]*\([ \t]*\d+[ \t]*,|\b(?:n?varchar"
    r"|varbinary)\]?[ \t]*\([ \t]*max[ \t]*\)|\bwith[ \t]*\([ \t]*nolock\b|\(nolock\)"
    r"|\braiserror\b|^[ \t]*print[ \t]*\(?[ \t]*N?'|\b(?:into|table|from|join"
    r"|update)[ \t]+##?[A-Za-z_]|\b(?:cross|outer)[ \t]+apply\b|\bgetdate[ \t]*\([ \t]*\)"
    r"|\bsys\.(?:objects|tables|columns|procedures|indexes|databases|schemas|views|types|triggers"
    r"|foreign_keys|dm_\w+|sysobjects|database_principals|server_principals|key_constraints"
    r"|default_constraints)\b"
    r"|\bdatabasepropertyex\b|\bfrom[ \t]+sysobjects\b|\bselect[ \t]+@\w+[ \t]*="
    r"|\bselect[ \t]+(?:distinct[ \t]+)?top[ \t]*\(?[ \t]*[\d@]"
    r"|\b(?:create|alter)[ \t]+(?:or[ \t]+alter[ \t]+)?(?:procedure"
    r"|function)[ \t]+[\w.\[\]\"]+[ \t\r\n]*\(?[ \t\r\n]*@\w|\boutput[ \t]+(?:inserted|deleted)\."
    r"|\b(?:non)?clustered[ \t]+(?:index|\(|\[)"
    r"|\b(?:smalldatetime|uniqueidentifier|hierarchyid|datetimeoffset|sql_variant)\b"
    r"|\bnewid[ \t]*\([ \t]*\)|\bscope_identity[ \t]*\(|^[ \t]*exec(?:ute)?[ \t]+(?:@\w"
    r"|\[?\w+\]?\.\.?\[?\w|[su]p_\w)"
    r"|^[ \t]*use[ \t]+\[|\b(?:from|table|into|join|update)[ \t]+\[\w|\bfor[ \t]+xml[ \t]+(?:path"
    r"|auto|raw)\b|\bas[ \t]+n?varchar[ \t]*\([ \t]*max"
)

_SQL_PL = (
    r"(?i)^--[ \t]*#set[ \t]+(?:terminator|delimiter)|\bmode[ \t]+db2sql\b|\bsys(?:ibm|cat|proc"
    r"|stat|ibmadm|tools|fun)\.\w|\bbegin[ \t]+atomic\b"
    r"|\bdynamic[ \t]+result[ \t]+sets?\b|\b(?:alter|drop|create[ \t]+or[ \t]+replace"
    r"|create)[ \t]+module\b|^[ \t]*(?:db2[ \t]+)?connect[ \t]+(?:to|reset)\b"
    r"|^[ \t]*end(?:[ \t]+\w+)?[ \t]*(?:\r?\n[ \t]*)?@[ \t]*\r?$|\)[ \t]*@[ \t]*\r?$|^@[ \t]*\r?$"
    r"|\bwith[ \t]+u[rs]\b|^[ \t]*(?:reorg|runstats)[ \t]+\w"
    r"|\bassociate[ \t]+(?:result[ \t]+set[ \t]+)?locators?\b"
    r"|\ballocate[ \t]+\w+[ \t]+cursor[ \t]+for\b|\bnot[ \t]+logged[ \t]+initially\b"
    r"|\bset[ \t]+current[ \t]+(?:schema|path|isolation|sqlid|function)\b"
    r"|\bcurrent[ \t]+(?:schema|server|path|sqlid|lock)\b"
    r"|\bwith[ \t]+return[ \t]+(?:to[ \t]+(?:caller|client)[ \t]+)?for\b"
    r"|\bcursor[ \t]+with[ \t]+(?:return|hold)\b|\b(?:no[ \t]+external[ \t]+action"
    r"|contains[ \t]+sql|inherit[ \t]+special[ \t]+registers"
    r"|called[ \t]+on[ \t]+null[ \t]+input)\b"
    r"|\bget[ \t]+diagnostics[ \t]+\w+[ \t]*=[ \t]*(?:row_count|db2_return_status)|\bdb2_\w+"
    r"|\b(?:values|values[ \t]*\()[ \t]*current[ \t]+(?:date|time|timestamp)\b"
    r"|\bspecific[ \t]+\w+[ \t\r\n]+(?:language|returns|dynamic|result|deterministic|not|modifies"
    r"|reads|p\d|begin)\b"
)
_HANDLERS = (
    r"(?i)\bdeclare[ \t]+(?:continue|exit|undo)[ \t]+handler\b"
    r"|\bdeclare[ \t]+sqlstate[ \t]+char\b|\bsignal[ \t]+sqlstate\b"
    r"|\blanguage[ \t]+sql\b[^$']{0,300}\bbegin\b"
    r"|^[ \t]*\w+[ \t]*:[ \t]*begin\b|\bdb2\b"
)

_PL_SQL = (
    r"(?i)\bcreate[ \t]+(?:or[ \t]+replace[ \t]+)?(?:(?:non)?editionable[ \t]+)?package\b"
    r"|\bcreate[ \t]+or[ \t]+replace[ \t]+(?:(?:non)?editionable[ \t]+)?(?:type|java|synonym"
    r"|public|force)\b"
    r"|\bn?varchar2\b|\b(?:dbms|utl|apex|owa)_\w+\.|^/[ \t]*\r?$"
    r"|^[ \t]*set[ \t]+(?:serverout(?:put)?|verify|feedback|heading|head|termout|echo|define"
    r"|linesize|pagesize|trimspool|trimout|sqlblanklines|timing|long|sqlprompt|pages|lines|feed"
    r"|ver|scan|escape|wrap|space|numwidth|colsep)\b"
    r"|\b(?:pls|binary)_integer\b|\bnumber[ \t]*\([ \t]*\d|\bsys_refcursor\b"
    r"|\bpragma[ \t]+(?:autonomous_transaction|exception_init|serially_reusable"
    r"|restrict_references|inline)\b"
    r"|\bexecute[ \t]+immediate\b|\bwhenever[ \t]+(?:sql|os)error\b|^[ \t]*(?:prompt|spool|remark"
    r"|rem|ttitle|btitle|undefine|exec(?:ute)?[ \t]+\w+[.(])\b|^@@?[\w./\\&]+"
    r"|^[ \t]*col(?:umn)?[ \t]+\w+[ \t]+(?:format|heading|for|new_value|noprint)\b"
    r"|\.(?:nextval|currval)\b|\bnvl2?[ \t]*\(|\bconnect[ \t]+by\b|\bsys_(?:context|guid"
    r"|connect_by_path)\b|\bhtp\.p\w*|\bfrom[ \t]+(?:sys\.)?(?:dual|all_\w+|dba_\w+"
    r"|user_(?:tables|objects|tab\w*|constraints|sequences|source|indexes|triggers|views|errors)"
    r"|v\$\w+)\b"
    r"|\b(?:procedure|function)[ \t]+[\w.\"$#]+[ \t\r\n]*(?:\([^()]{0,2000}(?:\([^()]{0,80}\)[^()"
    r"]{0,400}){0,6}\))?[ \t\r\n]*(?:return[ \t]+[\w.%]+(?:\([^()\n]{0,40}\))?[ \t\r\n]*(?:determ"
    r"inistic[ \t\r\n]*|pipelined[ \t\r\n]*)?|authid[ \t]+\w+[ \t\r\n]*)?\bis\b"
    r"|\bsqlerrm\b|\bwhen[ \t]+(?:no_data_found|too_many_rows|dup_val_on_index)[ \t]+then\b"
    r"|\bto_(?:date|char|number)[ \t]*\([^()\n]{0,80},[ \t]*'|\brownum\b|\bbulk[ \t]+collect\b"
    r"|\bforall[ \t]+\w+[ \t]+in\b|\bpctfree\b|\bsystimestamp\b"
    r"|\bfor[ \t]+each[ \t]+row[ \t\r\n]+declare\b|%(?:row)?type\b"
    r"|\balter[ \t]+session[ \t]+set\b|\bconstraint[ \t]+\w+[^\n;]{0,200}\benable\b"
    r"|\b[sd]ysdate\b(?![ \t]*\()|\bclob\b[^\n]{0,60}\bempty_clob\b|:(?:new|old)\.\w"
)
_ORACLE_BLOCK = r"(?i)^[ \t]*(?:declare[ \t]*\r?$|begin[ \t]*\r?$)"

RULES = {
    "sql": (
        Rule(
            "TSQL",
            "batches that end with GO, and DECLARE @, dbo or USE",
            r"(?i)^[ \t]*go[ \t]*\r?$",
            also=r"(?i)\bdeclare[ \t\r\n]+@\w|\bdbo\b|^[ \t]*use[ \t]+\[?\w+\]?;?[ \t]*\r?$",
        ),
        Rule(
            "PLpgSQL",
            "plpgsql, bodies in $$, psql's backslash commands",
            _PL_PGSQL,
            unless=_MY_SQL + r"|^[ \t]*go[ \t]*\r?$",
        ),
        Rule(
            "SQLPL",
            "DB2's catalogue, terminator @, BEGIN ATOMIC",
            _SQL_PL,
            unless=_MY_SQL + r"|^[ \t]*go[ \t]*\r?$|\bdbo\b|\bdeclare[ \t]+@|\bdbms_\w+\.",
        ),
        Rule(
            "TSQL",
            "GO, variables with @, dbo, T-SQL's own statements",
            _T_SQL,
            unless=_MY_SQL + r"|\bvarchar2\b|\bdbms_\w+\.",
        ),
        Rule("PLSQL", "packages, VARCHAR2, a slash that runs the block, SQL*Plus commands", _PL_SQL, unless=_MY_SQL),
        Rule("SQLPL", "handlers, labelled blocks, LANGUAGE SQL without MySQL's DELIMITER", _HANDLERS, unless=_MY_SQL),
        Rule(
            "PLSQL",
            "an anonymous block with assignments",
            _ORACLE_BLOCK,
            also=r":=|(?i:\bend[ \t]*;[ \t]*\r?$)",
            unless=_MY_SQL,
        ),
        Rule("SQL", "no dialect's own words"),
    ),
    "prc": (
        Rule("PLSQL", "VARCHAR2, a slash that runs the block, procedure … is", _PL_SQL, unless=_MY_SQL),
        Rule("PLSQL", "a block with assignments", _ORACLE_BLOCK, also=r":="),
        Rule("SQL", "statements without Oracle's own words"),
    ),
}
