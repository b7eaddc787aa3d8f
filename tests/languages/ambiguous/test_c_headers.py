"""Headers: what makes `.h` C++ or Objective-C, and what only looks like it."""

from languages.ambiguous.telling import told_apart

C = [
    "",
    "int add(int a, int b);\n",
    "/* This class of functions\n * namespace foo {\n   class struct of devices\n */\nint x;\n",
    "// template <class T> would be C++\n#define MAX 3\n",
    '#ifndef A_H\n#define A_H\n#ifdef __cplusplus\nextern "C" {\n#endif\nvoid f(void);\n'
    "#ifdef __cplusplus\n}\n#endif\n#endif\n",
    '#ifdef __cplusplus\nextern "C" {\nclass Foo;\n#else\ntypedef struct Foo Foo;\n#endif\nFoo *make(void);\n',
    "static inline int low(int x)\n{\n\treturn (x & MASK) ? (flags & 3) : (x&y);\n}\n",
    "struct s { unsigned a : 3; unsigned b:5; };\n",
    "#include <stdio.h>\n#include <sys/types.h>\n",
    " * See CFoo::bar for more.\n",
    "for (int i=0, n = 3; i < n; i++) { x = a & b; }\n",
    "/**\n * @interface Foo\n * @class Bar\n */\nvoid foo(void);\n",
    "#define private public\nstruct { int class; int new; int template; };\n",
]
CPP = [
    "class Foo;\n",
    "class EXPORT Foo : public Bar\r\n{\r\n};\r\n",
    "#pragma once\nnamespace a::b {\nint f();\n}\n",
    "template<typename T> T max(T a, T b);\n",
    "#include <vector>\nextern int x;\n",
    '#include "base.hpp"\n',
    "struct Point { Point(); ~Point(); };\n",
    "struct A : B {\n  int x;\n};\n",
    "void print(const std::string& s);\n",
    "void swap(int &a, int &b);\n",
    "int area(int width, int height = 3);\n",
    "enum class Color { Red };\n",
    "using Int = foo::Bar;\n",
    "struct X {\n  int get() const;\n};\n",
    'extern "C" void f();\n',
    "#ifndef __cplusplus\n#error C++ only\n#endif\n",
    "#ifdef __OBJC__\n@class NSView;\n#endif\nclass Window {\npublic:\n  int id;\n};\n",
    "Foo Foo::instance();\n",
    "constexpr int kSize = 4;\n",
]
OBJECTIVE_C = [
    "@interface Foo : NSObject\n@end\n",
    "#import <Foundation/Foundation.h>\n\n@protocol Drawing <NSObject>\n- (void)draw;\n@end\n",
    "@class Foo, Bar;\n",
    '#import "Prefix.h"\nextern int x;\n',
    "extern NSString * const kName;\n",
    "typedef NS_ENUM(NSInteger, Kind) { KindA };\n",
    "@import UIKit;\n",
    "// class for names\n@interface NSString (Extra)\n@property (nonatomic) int n;\n@end\n",
]
HH = [
    ("Hack", "<?hh // strict\nfunction f(): int { return 1; }\n"),
    ("Hack", "<?hh\n"),
    (
        "Hack",
        "namespace Foo;\n\nuse namespace HH\\Lib\\Str;\n\n<<__EntryPoint>>\n"
        "async function main(): Awaitable<void> {\n  $x = 1;\n}\n",
    ),
    ("C++", "#pragma once\nnamespace foo { class Bar; }\n"),
    ("C++", "// function pointers\ntypedef void (*function)(int);\n"),
    ("C++", ""),
]
CASES = [
    *(("h", "C", text) for text in C),
    *(("h", "C++", text) for text in CPP),
    *(("h", "Objective-C", text) for text in OBJECTIVE_C),
    *(("hh", language, text) for language, text in HH),
]


test_a_header_is_in_the_language_its_declarations_need = told_apart(CASES)
