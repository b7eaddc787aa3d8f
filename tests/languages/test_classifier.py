"""Choosing a language by its words: files of languages that share an extension, and texts that say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.classifier import MAX_HEAD, choose, known_languages, vector
from starloom.languages.table import load

PYTHON = '''
import os
from pathlib import Path

def walk(folder, pattern):
    """Files below a folder."""
    for name in os.listdir(folder):
        if name.startswith(pattern):
            yield Path(folder) / name
    return None

if __name__ == "__main__":
    print(list(walk(".", "a")))
'''
PROLOG = """
:- module(lists, [append/3, member/2]).
% The list of both.
append([], L, L).
append([H|T], L, [H|R]) :- append(T, L, R).
member(X, [X|_]).
member(X, [_|T]) :- member(X, T), !.
main :- member(X, [1, 2, 3]), write(X), nl, fail.
"""
PERL = """
use strict;
use warnings;
my ($file, %seen) = shift @ARGV;
open(my $in, '<', $file) or die "cannot open $file: $!";
while (my $line = <$in>) {
    chomp $line;
    next unless $line =~ /^(\\w+)\\s*=/;
    push @{ $seen{$1} }, $line;
}
foreach my $key (sort keys %seen) { print "$key\\n"; }
"""
MATLAB = """
function [q, r] = solve(A, b)
% SOLVE solves A x = b by its QR factors
n = size(A, 1);
[q, r] = qr(A);
x = zeros(n, 1);
for k = n:-1:1
    x(k) = (b(k) - r(k, k+1:end) * x(k+1:end)) ./ r(k, k);
end
if nargout < 1
    disp(x); figure; plot(x); xlabel('k');
end
end
"""
OBJECTIVE_C = """
#import <Foundation/Foundation.h>
#import "Reader.h"

@implementation Reader
- (instancetype)initWithPath:(NSString *)path {
    self = [super init];
    if (self) { _lines = [[NSMutableArray alloc] init]; }
    return self;
}
- (void)dealloc { [_lines release]; [super dealloc]; }
@end
"""
TYPESCRIPT = """
import { readFile } from "fs";
export interface Options { readonly path: string; limit?: number }
export class Reader {
  private lines: string[] = [];
  constructor(private readonly options: Options) {}
  async read(): Promise<string[]> { return this.lines.filter((line) => line !== ""); }
}
"""


@pytest.mark.parametrize(
    ("text", "language", "others"),
    [
        pytest.param(PROLOG, "Prolog", ["Perl", "Raku"], id="pl-prolog"),
        pytest.param(PERL, "Perl", ["Prolog", "Raku"], id="pl-perl"),
        pytest.param(MATLAB, "MATLAB", ["Objective-C", "Mercury", "Wolfram Language", "Limbo"], id="m-matlab"),
        pytest.param(
            OBJECTIVE_C, "Objective-C", ["MATLAB", "Mercury", "Wolfram Language", "Limbo"], id="m-objective-c"
        ),
        pytest.param(TYPESCRIPT, "TypeScript", ["XML"], id="ts-typescript"),
        pytest.param(PYTHON, "Python", ["Perl", "Ruby", "Prolog", "MATLAB", "TypeScript"], id="python"),
    ],
)
def test_the_words_tell(text, language, others):
    assert choose(text, [*others, language]) == language
    assert choose(text, {language, *others}) == language  # in whichever order


@pytest.mark.parametrize(
    "text",
    ["", "\n\n\n", "\0" * 100, "xyzzyplugh", "1 2 3 4", "\ufeff", "é" * 50],
    ids=["empty", "newlines", "nuls", "unknown-word", "numbers", "bom", "one-letter"],
)
def test_a_text_without_words_is_no_language(text):
    assert choose(text, ["Perl", "Prolog", "Raku"]) is None


def test_unknown_candidates_are_never_chosen():
    assert choose(PERL, []) is None
    assert choose(PERL, ["No such language"]) is None
    assert choose(PERL, ["No such language", "Prolog", "Perl"]) == "Perl"


@pytest.mark.parametrize("text", ["x", "{ }", "if"])
def test_fewer_than_four_features_leave_it_open(text):
    assert choose(text, ["C", "C++", "Objective-C"]) is None


def test_only_the_head_counts():
    padding = PERL * (1 + MAX_HEAD // len(PERL))
    assert vector(padding) == vector(padding + OBJECTIVE_C * 100)
    assert choose(padding + PROLOG * 1000, ["Perl", "Prolog"]) == "Perl"


def test_centroids_are_of_languages_in_the_table():
    assert known_languages() <= load().languages.keys()
    assert len(known_languages()) > 150


@given(st.text(max_size=300), st.sets(st.sampled_from(["Perl", "Prolog", "C", "C++", "MATLAB", "SQL", "nothing"])))
def test_the_answer_is_a_candidate(text, candidates):
    assert choose(text, candidates) in {None, *candidates}


@given(st.text())
def test_vectors_have_length_one(text):
    length = sum(weight * weight for weight in vector(text).values())
    assert length == pytest.approx(1) or vector(text) == {}


@pytest.mark.parametrize("text", ["(" * 10**6, "a" * 10**6, " " * 10**6 + "x", "@" * 10**6, "a " * 10**6])
def test_long_lines_end(text):
    choose(text, ["C", "Perl", "Prolog"])
