"""`.bas`, `.bi`, `.bb`: dialects of Basic, and what shares their extensions (BitBake recipes, babashka scripts).

Modules that the editors of VBA and Visual Basic 6 export look alike; objects of Office tell VBA, objects of a
standalone program Visual Basic 6. Case matters: QuickBASIC's editor wrote keywords in capitals,'
    ' FreeBASIC's users do not.
"""

from starloom.languages.ambiguous.includes import BITBAKE
from starloom.languages.ambiguous.rule import Rule

OFFICE = (
    r"\b(?:ActiveSheet|ActiveWorkbook|ThisWorkbook|ActiveCell|ActiveDocument|ActivePresentation|ActiveWindow"
    r"|ThisDocument|Work[Ss]heets?|WorksheetFunction"
    r"|Workbooks?|ListObjects?|PtrSafe|LongPtr|VBA7|CurrentDb|CurrentProject|DoCmd|ThisDrawing|ThisOutlookSession"
    r"|ThisApplication|UsedRange|ScreenUpdating"
    r"|MailItem|Namespace[ \t]*\(\"MAPI\"\)|AcadDocument|SldWorks|XlCalculation|xl[A-Z]\w+|wd[A-Z]\w+|pp[A-Z]\w+"
    r"|ac[A-Z]\w+|ol[A-Z]\w+|mso[A-Z]\w+)\b"
    r"|\b(?:Application|Excel|Word|Outlook|Access|PowerPoint)\.[A-Z]|\b(?:Cells|Range|Sheets|Rows|Columns)[ \t]*\("
    r"|^[ \t]*Option[ \t]+(?:Compare[ \t]+Database|Private[ \t]+Module)"
    r"|#If[ \t]+(?:Not[ \t]+)?(?:VBA[67]|Mac|Win64)\b|^[ \t]*'[ \t]*@(?:Folder|Module|Exposed|Ignore|PredeclaredId"
    r"|TestModule|Description|IgnoreModule)\b|\bVBA\b|\bOption[ \t]+Base[ \t]+1"
)
VB6 = (
    r"\bApp\.(?:Path|EXEName|Title|Major|Minor|Revision|hInstance|PrevInstance|LogEvent|CompanyName|ProductName"
    r"|StartMode|TaskVisible|HelpFile)\b"
    r"|\bfrm[A-Z]\w+|\bForm\d*\b|\bForms\b|\bVB\.(?:Form|Global|PictureBox|Control|Timer)\b|\bScreen\.(?:TwipsPer"
    r"|Width|MousePointer|ActiveForm)|\bUserControl\b|\bPropertyBag\b"
    r"|\b(?:Picture|Text|Label|Command|Timer)\d\b|\b(?:LoadPicture|LoadResString|LoadResPicture|Printer)\b"
    r"|\bSub[ \t]+Main[ \t]*\(\)"
    r"|(?i:\bvisual[ \t]+basic[ \t]+6|\bVB[ \t]?6\b|\bDirectX[78]?\b|\bWinsock\b|\bStdPicture\b|\bhDC\b)"
)
_VB_HEADER = r"\A\ufeff?\s*Attribute[ \t]+VB_Name"
_VB = (
    r"(?i)^[ \t]*(?:(?:public|private|friend)[ \t]+(?:static[ \t]+)?(?:sub|function|property|const|declare|type"
    r"|enum|withevents)\b|option[ \t]+explicit[ \t]*\r?$"
    r"|on[ \t]+error[ \t]+(?:goto|resume)\b|set[ \t]+\w+[ \t]*=[ \t]*(?:new|nothing|createobject)\b"
    r"|dim[ \t]+\w+[ \t]+as[ \t]+(?:new[ \t]+)?(?:object|variant|range|collection|worksheet|workbook)\b"
    r"|msgbox\b)"
)
_FREE_BASIC = (
    r"(?i)^[ \t]*#[ \t]*(?:include|inclib|lang|define|undef|ifdef|ifndef|macro|pragma|libpath|cmdline"
    r"|if[ \t]+(?!vba|win|mac|debug|not|const)\w|print|assert)\b"
    r"|^[ \t]*'[ \t]*\$lang|^''(?!')|(?-i:/')|^[ \t]*(?:dim|redim|static|var|common)[ \t]+(?:shared[ \t]+"
    r"|byref[ \t]+)?as[ \t]|^[ \t]*var[ \t]+(?:shared[ \t]+)?\w+[ \t]*="
    r"|\bas[ \t]+(?:const[ \t]+)?(?:unsigned[ \t]+)?\w+(?:[ \t]+const)?[ \t]+ptr\b|\bas[ \t]+(?:zstring|wstring"
    r"|ubyte|ushort|uinteger|ulong|longint|ulongint|any[ \t]+ptr)\b"
    r"|^[ \t]*(?:end[ \t]+)?(?:namespace|scope|constructor|destructor|operator|extern)\b|^[ \t]*extern[ \t]+\""
    r"|^[ \t]*using[ \t]+fb\b|\bscreenres\b|^[ \t]*sleep[ \t]*\r?$"
    r"|^[ \t]*type[ \t]+\w+[ \t]+(?:extends|as)\b|\b(?:cdecl|stdcall)\b|^[ \t]*declare[ \t]+(?:constructor"
    r"|destructor|operator|property)\b|\bcptr\(|\bprocptr\("
    r"|^[ \t]*for[ \t]+\w+[ \t]+as[ \t]|\bfor[ \t]+(?:input|output)[ \t]+as[ \t]+#[ \t]*ff\b"
    r"|^[ \t]*(?:public[ \t]+)?function[ \t]+\w+[ \t]*\([^)\n]*\)[ \t]+as[ \t]+(?:integer"
    r"|string)[^\n]*\n[^\n]*\breturn\b"
)
_QB64 = (
    r"(?i)^[ \t]*\$(?:console|resize|exeicon|include|noprefix|color|debug|versioninfo|if|screenhide|checking"
    r"|includeonce)\b"
    r"|^[ \t]*option[ \t]+_explicit|\b_(?:title|display|limit|keyhit|keydown|newimage|loadimage|putimage|unsigned"
    r"|offset|rgb32|rgba32|delay"
    r"|mouseinput|sndopen|sndplay|freeimage|dest|source|explicit|fullscreen|printstring|integer64|trim|fileexists"
    r"|preserve|byte)\b"
)
_QUICK_BASIC = (
    r"^[ \t]*DECLARE[ \t]+(?:SUB|FUNCTION|LIBRARY|DYNAMIC|CUSTOMTYPE|STATIC)\b|^[ \t]*DEF(?:INT|SNG|LNG|DBL"
    r"|STR)[ \t]+[A-Z]|^[ \t]*(?:'|REM)[ \t]*\$(?:INCLUDE|DYNAMIC|STATIC|FORM)"
    r"|\b_(?:TITLE|DISPLAY|LIMIT|KEYHIT|KEYDOWN|NEWIMAGE|LOADIMAGE|PUTIMAGE|UNSIGNED|OFFSET|RGB32|RGBA32|DELAY"
    r"|MOUSEINPUT|SNDOPEN|SNDPLAY|FREEIMAGE|DEST|SOURCE)\b"
    r"|(?i:\b_(?:title|display|limit|keyhit|keydown|newimage|loadimage|putimage|unsigned|offset|rgb32|delay"
    r"|mouseinput)\b)"
    r"|^[ \t]*(?:DIM|REDIM|COMMON|CONST)[ \t]+SHARED\b"
    r"|^[ \t]*DIM[ \t]+\w+[$%&!#]?[ \t]*(?:\([^)\n]*\)[ \t]*)?AS[ \t]+[A-Z]|^[ \t]*(?:END[ \t]+(?:SUB|FUNCTION"
    r"|TYPE|SELECT|IF)|SELECT[ \t]+CASE|LOOP[ \t]+(?:UNTIL|WHILE)|DO[ \t]+WHILE|DO[ \t]*\r?$|LOOP[ \t]*\r?$)\b"
    r"|^[ \t]*(?:SCREEN[ \t]+\d+|WIDTH[ \t]+\d+|SUB[ \t]+\w+|FUNCTION[ \t]+\w+[$%&!#]?|COMMON\b|VIEW[ \t]+PRINT"
    r"|LOCATE[ \t]+\w|CONST[ \t]+\w+|TYPE[ \t]+\w+[ \t]*\r?$)"
)
_BLITZ = (
    r"(?i)^[ \t]*(?:graphics(?:3d)?[ \t]+\d|apptitle\b|setbuffer\b|end[ \t]+(?:function|type|if|select)\b|endif\b"
    r"|wend\b|function[ \t]+\w+[%$#.\w]*[ \t]*\(|include[ \t]+\"|field[ \t]+\w|global[ \t]+\w|local[ \t]+\w"
    r"|const[ \t]+\w|dim[ \t]+\w|for[ \t]+\w+[^\n]*[=\b](?:each|[^\n]*to)\b|repeat\b|until\b|while\b|cls\b|flip\b"
    r"|waitkey\b|print[ \t(]|type[ \t]+\w|superstrict|strict|import[ \t]+\w+\.\w+|framework\b|rem\b|text[ \t]+\d"
    r"|if[ \t])"
)

RULES = {
    "bas": (
        Rule(
            "B4X",
            "the header of a B4A, B4J or B4i module, or its globals",
            r"\A\ufeff?\s*B4[AiJRX]=true|^@EndOfDesignText@|^[ \t]*Sub[ \t]+(?:Process_Globals|Class_Globals"
            r"|Globals)\b|^ModulesStructureVersion=",
        ),
        Rule("BASIC", "the first line is numbered", r"\A\ufeff?\s*(?:rem\b[^\n]*\n\s*)?\d+[ \t]*[A-Za-z?'@]"),
        Rule("VBA", "objects of Office, 64-bit declarations", OFFICE, also=_VB_HEADER),
        Rule(
            "Visual Basic 6.0",
            "a module's header, and objects of a standalone program",
            VB6 + r"|^[ \t]*(?i:(?:public|private)[ \t]+)?Declare[ \t]+(?:Function|Sub)[ \t]+\w+[ \t]+Lib\b",
            also=_VB_HEADER,
        ),
        Rule("VBA", "a module's header", _VB_HEADER),
        Rule("QuickBASIC", "QB64's underscored words and metacommands", _QB64),
        Rule(
            "FreeBASIC",
            "preprocessor, pointers, dim as, namespaces",
            _FREE_BASIC,
            unless=r"\bPtrSafe\b|\bVBA7\b|^Attribute[ \t]+VB_",
        ),
        Rule("VBA", "objects of Office, 64-bit declarations", OFFICE, also=_VB),
        Rule(
            "QuickBASIC",
            "keywords in capitals: DECLARE SUB, DIM SHARED, END SUB; QB64's underscored words",
            _QUICK_BASIC,
        ),
        Rule("Visual Basic 6.0", "objects of a standalone program", VB6, also=_VB),
        Rule("VBA", "procedures with access modifiers, Option Explicit", _VB),
        Rule(
            "FreeBASIC",
            "structured Basic in lower case",
            r"^[ \t]*(?:declare[ \t]+(?:sub|function)|sub[ \t]+\w+|function[ \t]+\w+|end[ \t]+(?:sub|function|if"
            r"|type)|dim[ \t]+\w+[ \t]+as|print[ \t]+\")",
            unless=r"^[ \t]*(?:PRINT|REM|GOTO|LET)\b",
        ),
        Rule("BASIC", "another Basic"),
    ),
    "bi": (
        Rule("QuickBASIC", "QB64's underscored words and metacommands", _QB64),
        Rule("FreeBASIC", "preprocessor, pointers, calling conventions", _FREE_BASIC),
        Rule("QuickBASIC", "keywords in capitals: DECLARE SUB, COMMON SHARED; QB64's underscored words", _QUICK_BASIC),
        Rule("FreeBASIC", "the usual .bi file"),
    ),
    "bb": (
        Rule("Clojure", "the first form is a list", r"\A\ufeff?(?:#![^\n]*+\n)?(?>(?:\s|;[^\n]*+|#_)*)[(\[{]"),
        Rule("BitBake", 'VARIABLE = "…", inherit, do_task() {', BITBAKE),
        Rule("BlitzBasic", "Basic, comments with a semicolon", _BLITZ + r"|^[ \t]*;"),
        Rule("BitBake", "the usual .bb file"),
    ),
}
