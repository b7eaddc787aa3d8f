# Linguist's answers: ruby ask_github_linguist.rb LIST, a path a line. Needs the gem or Debian's ruby-github-linguist.
require "json"
require "linguist"

paths = File.readlines(ARGV[0], chomp: true)
answer = ->(path) { Linguist::FileBlob.new(path, File.dirname(path)).language&.name }
answer.(paths[0])
start = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
answers = paths.map { |path| begin answer.(path) rescue nil end }
seconds = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - start
puts JSON.generate(version: Linguist::VERSION, seconds: seconds, answers: answers)
