"""Copies with other names, made by rules that know nothing of `kernels/code_tokens`."""

import io
import keyword
import random
import re
import tokenize

_PARTS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/|(?m:^[ \t]*\#[ ][^\n]*))|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<number>\b\d+\b)""",
    re.DOTALL,
)
_KEPT = """
    NULL None Self Some bool boolean break case char class const continue def default defer delete do double
    else elsif end error extends false final float fn for from func function if impl import in instanceof int
    let long map match mut new nil null of package private pub public range require return self sizeof static
    string struct switch then throw throws true type unless unsigned use usize var void while yield
"""
_SYLLABLES = "ba co du fe gi ho ka lu me no pi ra"


class Names:
    """Another name for each, and none twice."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._known = {}

    def __getitem__(self, name):
        if name not in self._known:
            syllables = (self._random.choice(_SYLLABLES.split()) for _ in range(4))
            self._known[name] = f"{''.join(syllables)}{len(self._known)}"
        return self._known[name]


def renamed(code, seed=0):
    """Every name and literal of code in a language of braces, or Ruby, changed; comments left out; indented anew."""
    names = Names(seed)

    def other(part):
        if part["comment"]:
            return ""
        if part["string"]:
            return part["string"][0] + "other" + part["string"][0]
        if part["number"]:
            return str(7 * int(part["number"]) + 3)
        return part["word"] if part["word"] in _KEPT.split() else names[part["word"]]

    return re.sub(r"(?m)^[ \t]+", lambda blanks: 2 * blanks[0], _PARTS.sub(other, code))


def renamed_python(code, seed=0):
    """The same for Python, whose tokens the standard library knows."""
    names = Names(seed)
    lines = code.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(code).readline))):
        (row, start), (last, end) = token.start, token.end
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            text = names[token.string]
        elif token.type == tokenize.STRING and row == last and not token.line.strip().startswith(("'", '"', "r")):
            text = '"other"'
        elif token.type == tokenize.NUMBER:
            text = "5" if token.string != "5" else "6"
        elif token.type == tokenize.COMMENT:
            text = ""
        else:
            continue
        lines[row - 1] = lines[row - 1][:start] + text + lines[row - 1][end:]
    return "".join(lines)


C = """
static struct node *find_slot(struct table *table, const char *key, size_t length)
{
    unsigned hash = hash_of(key, length);
    struct node *node = table->slots[hash & table->mask];
    /* walk the chain */
    while (node != NULL) {
        if (node->hash == hash && node->length == length && memcmp(node->key, key, length) == 0)
            return node;
        node = node->next;
    }
    return NULL;
}

int table_put(struct table *table, const char *key, size_t length, void *value)
{
    struct node *node = find_slot(table, key, length);
    if (node) {
        node->value = value;
        return 0;
    }
    if (table->used + 1 > table->mask && !table_grow(table))
        return -1; // out of memory
    node = malloc(sizeof(*node) + length);
    if (!node)
        return -1;
    node->hash = hash_of(key, length);
    node->next = table->slots[node->hash & table->mask];
    table->slots[node->hash & table->mask] = node;
    table->used += 1;
    return 1;
}
"""
JAVA = """
public class Scheduler {
    private final PriorityQueue<Task> waiting = new PriorityQueue<>(64, Comparator.comparing(Task::due));
    private boolean stopped;

    public synchronized void submit(Task task) throws InterruptedException {
        if (stopped) {
            throw new IllegalStateException("stopped: " + task.name());
        }
        waiting.add(task);
        if (waiting.peek() == task) {
            notifyAll();
        }
    }

    public synchronized Task take() throws InterruptedException {
        while (!stopped) {
            Task first = waiting.peek();
            long now = clock.millis();
            if (first == null) {
                wait();
            } else if (first.due() > now) {
                wait(first.due() - now);
            } else {
                return waiting.poll();
            }
        }
        return null;
    }
}
"""
JAVASCRIPT = """
function parseQuery(search, options = {}) {
  const found = new Map();
  for (const part of search.replace("?", "").split("&")) {
    if (!part) continue; // empty
    const cut = part.indexOf("=");
    const name = decodeURIComponent(cut < 0 ? part : part.slice(0, cut));
    const value = cut < 0 ? options.empty : decodeURIComponent(part.slice(cut + 1));
    if (found.has(name)) {
      const before = found.get(name);
      found.set(name, Array.isArray(before) ? [...before, value] : [before, value]);
    } else {
      found.set(name, value);
    }
  }
  return found;
}

function formatQuery(values, options = {}) {
  const parts = [];
  values.forEach((value, name) => {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === options.empty) parts.push(encodeURIComponent(name));
      else parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(one)}`);
    }
  });
  return parts.length ? "?" + parts.join("&") : "";
}
"""
GO = """
func (cache *Cache) Get(key string) (string, bool) {
	cache.lock.Lock()
	defer cache.lock.Unlock()
	entry, ok := cache.entries[key]
	if !ok {
		cache.misses++
		return "", false
	}
	if entry.expires.Before(cache.now()) {
		delete(cache.entries, key)
		cache.order.Remove(entry.element)
		return "", false
	}
	cache.order.MoveToFront(entry.element)
	return entry.value, true
}

func (cache *Cache) Put(key, value string, ttl time.Duration) {
	cache.lock.Lock()
	defer cache.lock.Unlock()
	if entry, ok := cache.entries[key]; ok {
		entry.value, entry.expires = value, cache.now().Add(ttl)
		cache.order.MoveToFront(entry.element)
		return
	}
	for len(cache.entries) >= cache.limit {
		oldest := cache.order.Back()
		delete(cache.entries, oldest.Value.(string))
		cache.order.Remove(oldest)
	}
	cache.entries[key] = &entry{value: value, expires: cache.now().Add(ttl), element: cache.order.PushFront(key)}
}
"""
RUST = """
pub fn longest_common(left: &[Token], right: &[Token]) -> Vec<usize> {
    let mut lengths = vec![vec![0usize; right.len() + 1]; left.len() + 1];
    for (i, one) in left.iter().enumerate() {
        for (j, other) in right.iter().enumerate() {
            lengths[i + 1][j + 1] = if one == other {
                lengths[i][j] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (left.len(), right.len());
    let mut found = Vec::with_capacity(lengths[i][j]);
    while i > 0 && j > 0 {
        if left[i - 1] == right[j - 1] {
            found.push(i - 1);
            i -= 1;
            j -= 1;
        } else if lengths[i - 1][j] >= lengths[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    found.reverse();
    found
}
"""
RUBY = """
class Report
  def initialize(rows, options = {})
    @rows = rows
    @title = options.fetch(:title) { "untitled" }
    @width = options[:width] || 80
  end

  def totals
    @rows.each_with_object(Hash.new(0)) do |row, sums|
      row.each { |name, value| sums[name] += value if value.is_a?(Numeric) }
    end
  end

  def render(io)
    io.puts @title.center(@width)
    @rows.sort_by { |row| row[:date] }.each do |row|
      line = row.map { |name, value| "#{name}: #{value}" }.join(", ")
      io.puts line[0, @width] unless line.empty?
    end
    totals.each { |name, sum| io.puts format("%-20s %d", name, sum) }
    io.flush if io.respond_to?(:flush)
  end
end
"""
SAMPLES = {"c": C, "java": JAVA, "javascript": JAVASCRIPT, "go": GO, "rust": RUST, "ruby": RUBY}
