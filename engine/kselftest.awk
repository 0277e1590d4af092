# SPDX-License-Identifier: GPL-2.0-only
# Converts the console log of a machine that ran a selftest, with a time before each line,
# to KUnit's format (KTAP): a suite with the selftest's name and its cases, or with the one
# case "main" if it prints no TAP. Writes the seconds of each case to the file named by the
# variable "times". kunit.py wants the plan first, and takes a case with the name of its
# suite for the end of the suite.

function say(line) {
	if (name != "" && planned == "") held = held line "\n"; else print line
}

function plan(n) {
	print "    1.." n
	printf "%s", held
	planned = n; held = ""
}

function result(line) {
	say("    " line)
	if (line ~ / # SKIP/) skipped++; else if (line ~ /^not/) failed++; else passed++
}

function end(status, why) {
	single = planned == ""
	if (single)
		plan(1)
	if (status == 4 && single)
		result("ok 1 main # SKIP " (reason != "" ? reason : last))
	else if (single)
		result((status ? "not ok 1 " : "ok 1 ") "main")
	else if (status && !failed)
		result("not ok " planned + 1 " " why)
	printf "# %s: pass:%d fail:%d skip:%d total:%d\n", name, passed, failed, skipped, passed + failed + skipped
	print (failed ? "not ok 1 " : "ok 1 ") name
	name = planned = ""
}

{ time = $1; sub(/^[^ ]* /, ""); sub(/\r$/, "") }

/^# selftest .* begins$/ {
	name = $3
	print "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: " name
	next
}

name == "" { print; next }

/^# selftest .* exits with [0-9]+$/ { end($NF, "exit status " $NF); next }
/^# selftest .* is killed by signal [0-9]+$/ { end(1, "signal " $NF); next }

/^TAP version / { next }
# A selftest that does several things in processes of its own skips some in this way.
/^1\.\.0/ { reason = $0; sub(/.*# SKIP[ :-]*/, "", reason); say("# " $0); next }
/^1\.\.[0-9]+/ { plan(substr($1, 4)); next }
# The machine is given up then, and the next case may have begun.
/Test terminated by timeout/ { say($0); exit }
# under the kernel's runner
/^# selftests: / { began = time }
/^# +RUN +/ { began = time; say("    # " $3 ": begins"); next }

/^(not )?ok [0-9]+ / {
	result($0)
	if (times) {
		sub(/ # .*/, "")
		printf "%s\t%.2f\n", $NF, time - began >times
	}
	next
}

{ if ($0 !~ /^\[ *[0-9.]+\]/ && $0 != "") last = $0; say($0) }

END { printf "%s", held }
