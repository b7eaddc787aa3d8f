"""Assembly of several habits, SWIG interfaces and Nasal."""

from languages.ambiguous.telling import told_apart

CASES = [
    ("asm", "Assembly", "section .text\nglobal _start\n_start:\n  mov eax, 1\n  int 0x80\n"),
    ("asm", "Assembly", "; nothing but a comment\n"),
    ("asm", "Assembly", ".model small\n.data\nmsg db 'hi$'\n.code\nmain proc\n  mov ax, @data\nmain endp\nend main\n"),
    ("asm", "Assembly", "\tprocessor 6502\n\torg $f000\nstart\tlda #$00\n\tsta $80\n\tdc.b 1,2\n\tds.w 2\n"),
    ("asm", "Assembly", "main:\n  mov.w #1, r5\n  add.w r4, r5\n  clr.b r6\n"),
    ("asm", "Assembly", "\tmove $a0, $t0\n\tli $v0, 10\n\tsyscall\n"),
    ("asm", "Motorola 68K Assembly", "\tmoveq\t#0,d0\n\trts\n"),
    ("asm", "Motorola 68K Assembly", "start:  MOVE.L  4.W,A6\n        JSR     -552(A6)\n"),
    ("asm", "Motorola 68K Assembly", "\tXDEF\t_main\n\tSECTION text,CODE\n_table:\tdc.l\t1,2,3\n"),
    ("asm", "Motorola 68K Assembly", "* wait\nloop\tdbra d0,loop\n"),
    ("s", "Unix Assembly", "\t.globl main\nmain:\n\tmovl $0, %eax\n\tret\n"),
    ("s", "Unix Assembly", "@ ARM\n.text\n.arm\nmain: mov r0, #1\n  bx lr\n"),
    ("s", "Unix Assembly", '#include "asm.h"\nENTRY(f)\n  ret\n'),
    ("s", "Unix Assembly", "# a comment\n"),
    ("s", "Unix Assembly", '.data\nmsg: .asciiz "hi"\n.text\nmain:\n  li $v0, 4\n  move $a0, $t0\n'),
    ("s", "Unix Assembly", "\t.proc f#\nf:\n\tbr.ret.sptk rp\n\t.endp f#\n"),
    ("s", "Assembly", '; NES\n.segment "CODE"\nreset:\n  sei\n  lda #0\n'),
    ("s", "Assembly", "; interrupts off\n\tdi\n\thalt\n"),
    ("s", "Assembly", "\tAREA text, CODE, READONLY\n\tEXPORT main\nmain\n\tMOV r0, #0\n\tBX lr\n\tEND\n"),
    ("s", "Assembly", "section .data\nmsg: db 'hi'\nsection .text\nglobal _start\n"),
    ("s", "Assembly", '#include "textflag.h"\n\nTEXT ·Add(SB), NOSPLIT, $0-24\n\tMOVQ a+0(FP), AX\n\tRET\n'),
    ("s", "Assembly", "\t.module crt0\n\t.area _CODE\n\t.globl _main\n_start:\n\tcall _main\n"),
    ("s", "Assembly", "* = $0801\nloop ldx #0\n inx\n bne loop\n"),
    ("s", "Motorola 68K Assembly", "| gas for Atari\n\t.globl _f\n_f:\tmove.l 4(sp),d0\n\trts\n"),
    ("s", "Motorola 68K Assembly", "\tlea\tmsg(pc),a0\n\tbsr.w\tprint\n"),
    ("i", "SWIG", '%module example\n%{\n#include "example.h"\n%}\nint add(int, int);\n'),
    ("i", "SWIG", "%include <std_string.i>\n"),
    ("i", "SWIG", "/* File : example.i */\nextern double Foo;\nint gcd(int x, int y);\n"),
    ("i", "SWIG", "%define NAME(x)\n%rename(x) y;\n%enddef\n"),
    (
        "i",
        "Motorola 68K Assembly",
        "\tIFND\tEXEC_TYPES_I\nEXEC_TYPES_I\tSET 1\n\tSTRUCTURE Node,0\n\tAPTR LN_SUCC\n\tENDC\n",
    ),
    ("i", "Motorola 68K Assembly", "* registers\nCIAA\tequ\t$bfe001\n"),
    ("i", "Motorola 68K Assembly", "wait:\n\tbtst #6,$bfe001\n\tbne.s wait\n\tmove.w d0,d1\n"),
    ("i", "Assembly", "; screen\nVRAM equ 0B800h\n  mov ax, VRAM\n"),
    ("nas", "Nasal", '# autopilot\nvar loop = func {\n  setprop("/a/b", 1);\n}\n'),
    ("nas", "Nasal", 'io.include("Aircraft/a.nas");\n'),
    ("nas", "Nasal", "# just a comment\n"),
    ("nas", "Assembly", "[BITS 32]\nglobal _io_hlt\n_io_hlt: ; void io_hlt(void);\n  hlt\n  ret\n"),
    ("nas", "Assembly", "; boot sector\n  org 0x7c00\n"),
]


test_an_assembler_is_known_by_its_directives_and_mnemonics = told_apart(CASES)
