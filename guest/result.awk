# SPDX-License-Identifier: GPL-2.0
#
# Turns what run-guest recorded into result.json, and ends with the exit code:
#
#	awk -v json=FILE -v suites="..." -f result.awk plan facts stream.log
#
# A case that was planned for this technology and is not in the log is a finding, and so is
# one that failed and is not known.  POSIX awk: mawk, gawk and busybox all do.

BEGIN { FS = "\t"; TODAY = ""; problems = 0; cases = 0 }

# ---- plan: suite, case and known lines; facts: key=value ----
FILENAME != last_file { file++; last_file = FILENAME }

file == 1 && $1 == "suite" { order[++n_suites] = $2; kind[$2] = $3 }
file == 1 && $1 == "case" { of_suite[++n_planned] = $2; planned[n_planned] = $3; where[n_planned] = $4; why_not[n_planned] = $5; tolerated[$2 "." $3] = $6 }
file == 1 && $1 == "known" { n_known++; k_case[n_known] = $2; k_where[n_known] = $3; k_first[n_known] = $4; k_last[n_known] = $5; k_expires[n_known] = $6; k_causes[n_known] = $7; k_reference[n_known] = $8; k_shows[n_known] = $9 }
file == 2 { place = index($0, "="); fact[substr($0, 1, place - 1)] = substr($0, place + 1) }

# ---- stream.log: channel|text ----
file == 3 {
	channel = substr($0, 1, 1)
	text = substr($0, 3)
	if (channel == "i")
		init_line(text)
	else if ((channel == "k" || channel == "t") && suite != "")
		log_line(channel, text)
}

function init_line(text,   words, rc) {
	split(text, words, " ")
	if (words[1] == "begin") {
		suite = words[2]
		fresh()
	} else if (words[1] == "end") {
		rc = text
		sub(/.*rc=/, "", rc)
		sub(/ .*/, "", rc)
		if (rc == 124 || rc == 137 || rc == 143)
			problem(suite, "timeout", "did not end in its time")
		else if (rc != 0 && kind[suite] == "kunit")
			problem(suite, "bad-exit", "the module cannot be loaded: " after(text, " : "))
		else if (rc > 4)
			problem(suite, "bad-exit", "the program ended with " rc)
		remains(rc)
		suite = ""
	} else if (words[1] == "skip") {
		skipped[words[2]] = after(text, " : ")
	} else if (words[1] == "problem") {
		problem(words[2], words[3], after(text, " : "))
	} else if (words[1] == "rmmod") {
		problem(words[2], "left-loaded", "the module " words[2] " stays loaded")
	}
}

function after(text, mark,   at) {
	at = index(text, mark)
	return at ? substr(text, at + length(mark)) : ""
}

function fresh() {
	said = splats = ""
	n_said = marked = last_leaf = 0
	delete during
	delete below
	delete failed_below
	delete heading
}

function problem(name, word, text) {
	problems++
	p_suite[problems] = name
	p_kind[problems] = word
	p_text[problems] = text
}

# Splats that no result line came after: those of a program by the case that its marks name
# (coco_mark() in coco_harness_run.h), those at the end of a module by its last case
function remains(rc,   id) {
	for (id in during) {
		if (id in place_of)
			hold_against(place_of[id], during[id])
		else
			problem(suite, "splat", "during " id ": " during[id])
	}
	if (splats != "" && last_leaf && rc == 0 && kind[suite] == "kunit")
		hold_against(last_leaf, splats)
	else if (splats != "")
		problem(suite, "splat", splats)
}

# One line of KTAP or of what stands between; printk's time goes first
function log_line(channel, text,   depth, body, bad, name, reason, at) {
	if (channel == "k")
		sub(/^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? ?/, "", text)
	body = text
	sub(/^ +/, "", body)
	depth = int((length(text) - length(body)) / 4)
	if (channel == "k" && kind[suite] == "selftest") {
		kernel_line(body)
		return
	}
	if (body ~ /^# Subtest: /) {
		heading[depth] = substr(body, 12)
		return
	}
	if (body !~ /^(not )?ok [0-9]+/) {
		remark(channel, body)
		return
	}
	bad = body ~ /^not ok/
	sub(/^(not )?ok [0-9]+ *(- )?/, "", body)
	reason = ""
	if (match(body, /# *(SKIP|skip)/)) {
		reason = substr(body, RSTART + RLENGTH)
		sub(/^[: ]+/, "", reason)
		if (reason == "")
			reason = "no reason given"
		body = substr(body, 1, RSTART - 1)
	}
	sub(/ +$/, "", body)
	if (below[depth + 1] > 0 && !(bad && !failed_below[depth + 1])) {
		below[depth + 1] = 0
		failed_below[depth] += failed_below[depth + 1]
		failed_below[depth + 1] = 0
	} else if (!(channel == "k" && depth == 0)) {
		name = body
		for (at = depth; channel == "k" && at > 1; at--)
			name = heading[at] "." name
		leaf(plain_name(name), bad, reason)
		failed_below[depth] += bad
	}
	below[depth]++
}

function plain_name(name) {
	name = tolower(name)
	gsub(/[^a-z0-9_.]+/, "_", name)
	gsub(/^_+|_+$/, "", name)
	return name
}

# What no test may cause, by the first words of a line of the kernel's log.  The kinds are
# those of scripts/lib/coco/splat.py, which suites name, and are tried in its order.
function splat_kind(body) {
	if (body ~ /^(Kernel panic - not syncing|traps: PANIC|PANIC): /)
		return "panic"
	if (body ~ /^(Oops: |BUG: unable to handle |BUG: kernel NULL pointer dereference|kernel BUG at )/ ||
	    body ~ /^[A-Za-z][A-Za-z0-9_ #,-]*: [0-9a-f][0-9a-f][0-9a-f][0-9a-f] \[#[0-9]/ ||
	    body ~ /^(kernel tried to execute|unable to handle) /)
		return "oops"
	if (body ~ /^((watchdog: )?BUG: (soft|workqueue) lockup|(NMI )?watchdog: .*LOCKUP)/ ||
	    body ~ /^INFO: task .* blocked for more than /)
		return "lockup"
	if (body ~ /^((rcu: )?INFO: rcu[a-z_]* .*stall|WARNING: suspicious RCU usage)/)
		return "rcu"
	if (body ~ /^WARNING: (possible|inconsistent|lock held|bad unlock|nested lock)/ ||
	    body ~ /^WARNING: .*(lock|irq).*(order|inversion|dependency|context)/ ||
	    body ~ /^(BUG: Invalid wait context|\[ BUG: |INFO: trying to register non-static key)/)
		return "lockdep"
	if (body ~ /^(BUG: (KASAN|KFENCE|KCSAN|KMSAN)|UBSAN): / ||
	    (body ~ /^DMA-API: / && body !~ /^DMA-API: (preallocated|debugging) /))
		return "sanitizer"
	if (body ~ /^unchecked MSR access error: /)
		return "msr"
	if (body ~ /^BUG: (sleeping function called|scheduling while atomic)/)
		return "atomic"
	if (body ~ /^WARNING: /)
		return "warning"
	return body ~ /^BUG: / ? "bug" : ""
}

function joined(text, line) {
	return text (text == "" ? "" : "\n") line
}

# The kernel's log during a program; all of it comes after all that the program said
function kernel_line(body,   splat) {
	if (body ~ /^coco: running [^ ]+$/) {
		marked = suite "." plain_name(substr(body, 15))
		return
	}
	splat = splat_kind(body)
	if (splat != "" && marked)
		during[marked] = joined(during[marked], splat ": " body)
	else if (splat != "")
		splats = joined(splats, splat ": " body)
}

function remark(channel, body,   splat) {
	splat = channel == "k" ? splat_kind(body) : ""
	if (splat != "")
		splats = joined(splats, splat ": " body)
	if (n_said++ < 60 && body !~ /^(KTAP|TAP) version|^1\.\.|^# (RUN|begin|module:)/)
		said = joined(said, body)
}

function leaf(name, bad, reason,   id) {
	id = suite "." name
	if (reason == "not selected") {
		said = ""
		n_said = 0
		return
	}
	if (id in place_of) {
		problem(suite, "duplicate", id " has two results")
		return
	}
	place_of[id] = last_leaf = ++cases
	c_id[cases] = id
	c_status[cases] = bad ? "fail" : (reason != "" ? "skip" : "pass")
	c_message[cases] = reason
	c_said[cases] = said
	if (bad) {
		c_cause[cases] = "assertion"
		c_message[cases] = first_words(said)
	}
	if (splats != "")
		hold_against(cases, splats)
	said = splats = ""
	n_said = 0
}

function hold_against(i, text) {
	c_splats[i] = joined(c_splats[i], text)
	if (c_status[i] == "fail" || all_tolerated(text, tolerated[base(c_id[i])]))
		return
	c_status[i] = "fail"
	c_cause[i] = text ~ /(^|\n)oops/ ? "oops" : "splat"
	c_message[i] = text
}

# Does the case cause each of them on purpose?  words: "kind" or "kind in function|function"
function all_tolerated(splats, words,   text, word, n, m, i, j, found) {
	n = split(splats, text, "\n")
	m = split(words, word, ",")
	for (i = 1; i <= n; i++) {
		found = 0
		for (j = 1; j <= m; j++)
			found += covers(word[j], text[i])
		if (!found)
			return 0
	}
	return 1
}

function covers(word, text,   at, kind, functions) {
	at = index(word, " in ")
	kind = at ? substr(word, 1, at - 1) : word
	functions = at ? substr(word, at + 4) : ""
	if (index(text, kind ": ") != 1)
		return 0
	return functions == "" || text ~ (" (" functions ")([.][A-Za-z0-9_]+)*[+]0x")
}

function base(id,   part) {
	split(id, part, ".")
	return part[1] "." part[2]
}

function first_words(text,   line, n, i) {
	n = split(text, line, "\n")
	for (i = 1; i <= n; i++)
		if (line[i] ~ /[Ee]xpected /)
			return line[i]
	return n ? line[n] : "no reason given"
}

# ---- the verdict ----
function applies(list, name) {
	return index("," list ",", "," name ",")
}

function chosen(name) {
	return suites == "" || index(" " suites " ", " " name " ")
}

# -1, 0 or 1; b may be shorter: 6.12.3 is within 6.12
function compare(a, b,   x, y, n, i) {
	n = split(b, y, ".")
	split(a, x, ".")
	for (i = 1; i <= n; i++)
		if (x[i] + 0 != y[i] + 0)
			return x[i] + 0 < y[i] + 0 ? -1 : 1
	return 0
}

# Debian calls its 5.10.262 "5.10.0-46" and tells in the banner
function kernel_version(   text, found, series, best) {
	text = fact["release"] " " fact["version"]
	best = ""
	while (match(text, /[0-9]+\.[0-9]+(\.[0-9]+)*/)) {
		found = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		if (best == "") {
			best = found
			match(found, /^[0-9]+\.[0-9]+/)
			series = substr(found, 1, RLENGTH)
		} else if ((found == series || index(found, series ".") == 1) && compare(found, best) > 0) {
			best = found
		}
	}
	return best
}

function known(id,   i) {
	for (i = 1; i <= n_known; i++)
		if ((id == k_case[i] || index(id, k_case[i] ".") == 1) && applies(k_where[i], fact["technology"]) &&
		    (k_first[i] == "" || compare(version, k_first[i]) >= 0) &&
		    (k_last[i] == "" || compare(version, k_last[i]) <= 0))
			return i
	return 0
}

function says(i, pattern,   line, n, j) {
	n = split(c_message[i] "\n" c_said[i] "\n" c_splats[i], line, "\n")
	for (j = 1; j <= n; j++)
		if (line[j] ~ pattern)
			return 1
	return 0
}

function judge(i,   k, causes) {
	c_verdict[i] = "ok"
	if (c_status[i] == "pass" || c_status[i] == "skip")
		return
	k = known(c_id[i])
	c_verdict[i] = "finding"
	if (!k || c_status[i] != "fail")
		return
	c_reference[i] = k_reference[k]
	if (!applies(k_causes[k], c_cause[i])) {
		causes = k_causes[k]
		gsub(",", " or ", causes)
		c_note[i] = "the baseline lists it, but as " causes
		return
	}
	if (!says(i, k_shows[k])) {
		c_note[i] = "the baseline lists it, but with: " k_shows[k]
		return
	}
	if (k_expires[k] < substr(fact["started"], 1, 10)) {
		c_note[i] = "the baseline entry expired on " k_expires[k]
		return
	}
	c_verdict[i] = "known"
	c_note[i] = "until " k_expires[k]
}

function add(id, status, cause, message) {
	place_of[id] = ++cases
	c_id[cases] = id
	c_status[cases] = status
	c_cause[cases] = cause
	c_message[cases] = message
}

# What was planned and is not in the log
function complete(   i, id, seen, c) {
	for (c = 1; c <= cases; c++)
		seen[base(c_id[c])] = 1
	for (i = 1; i <= n_planned; i++) {
		id = of_suite[i] "." planned[i]
		if (!chosen(of_suite[i]) || seen[base(id)])
			continue
		if (fact["technology"] != "none" && !applies(where[i], fact["technology"]))
			continue
		if (of_suite[i] in skipped)
			add(id, "skip", "", skipped[of_suite[i]])
		else if (why_not[i] != "")
			add(id, "skip", "", why_not[i])
		else
			add(id, "miss", "missing", "planned, and not in the log")
	}
}

# ---- JSON ----
# gsub() takes backslashes in what it puts in differently from awk to awk
function escaped(text, char, by,   at, done) {
	while ((at = index(text, char)) > 0) {
		done = done substr(text, 1, at - 1) by
		text = substr(text, at + 1)
	}
	return done text
}

function quoted(text) {
	text = escaped(escaped(text, "\\", "\\\\"), "\"", "\\\"")
	text = escaped(escaped(text, "\t", "\\t"), "\n", "\\n")
	gsub(/[\001-\037\177]/, "?", text)
	return "\"" text "\""
}

function json_list(text,   line, n, i, out) {
	n = text == "" ? 0 : split(text, line, "\n")
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? ", " : "") quoted(line[i])
	return "[" out "]"
}

function pair(name, text) {
	return quoted(name) ": " quoted(text)
}

function case_json(i) {
	return "{" pair("id", c_id[i]) ", " pair("status", c_status[i]) ", " pair("verdict", c_verdict[i]) ", " \
		pair("cause", c_cause[i]) ", " pair("message", c_message[i]) ", " pair("note", c_note[i]) ", " \
		pair("reference", c_reference[i]) ", " pair("expected", "") ", " pair("got", "") ", " \
		"\"diagnostics\": " json_list(c_status[i] == "pass" ? "" : c_said[i]) ", \"events\": [], " \
		"\"splats\": " json_list(c_splats[i]) ", \"fixes\": [], \"seconds\": 0, \"boot\": 0}"
}

function emit(line) {
	print line >json
}

function guest_json(   name, text) {
	for (name in fact)
		if (name != "started" && name != "suite_version")
			text = text (text == "" ? "" : ", ") pair(name, fact[name])
	return "{" text "}"
}

function document(code, word, sentence,   i, t) {
	t = fact["technology"]
	emit("{\"schema\": 1, \"complete\": true, " pair("started", fact["started"]) ", \"seconds\": 0,")
	emit(" \"words\": [], \"repeat\": [], " pair("suite_version", fact["suite_version"]) ", \"tier\": \"smoke\",")
	emit(" \"machine\": {\"sha256\": \"\"}, \"qemu\": {\"path\": \"\", \"version\": \"\"},")
	emit(" \"guest\": " guest_json() ",")
	emit(" \"kernel\": {" pair("name", fact["system"] " " fact["release"]) ", \"source\": \"guest\", " \
	    pair("release", fact["release"]) ", " pair("sha256", fact["sha256"]) ", " \
	    "\"technologies\": [" (t == "none" ? "" : quoted(t)) "]},")
	emit(" \"runs\": [{" pair("name", t) ", " pair("personality", t) ", \"vcpus\": 1, \"state\": \"done\",")
	emit("  \"reason\": \"\", \"seconds\": 0, \"boots\": [], \"notes\": [], \"summary\": {" \
	    "\"pass\": " count["pass"] + 0 ", \"fail\": " count["fail"] + 0 ", \"skip\": " count["skip"] + 0 \
	    ", \"error\": 0, \"miss\": " count["miss"] + 0 ", \"finding\": " count["finding"] + 0 \
	    ", \"known\": " count["known"] + 0 ", \"unjudged\": 0},")
	emit("  \"problems\": [")
	for (i = 1; i <= problems; i++)
		emit("   {" pair("suite", p_suite[i]) ", " pair("kind", p_kind[i]) ", " pair("text", p_text[i]) \
		    ", \"verdict\": \"finding\"}" (i < problems ? "," : ""))
	emit("  ], \"cases\": [")
	for (i = 1; i <= cases; i++)
		emit("   " case_json(i) (i < cases ? "," : ""))
	emit("  ]}],")
	emit(" \"not_exercised\": [\"what scripts the host: a real one cannot be scripted\"],")
	emit(" \"verdict\": {\"exit\": " code ", " pair("word", word) ", " pair("text", sentence) "}}")
	close(json)
}

# ---- the end ----
END {
	version = kernel_version()
	complete()
	if (fact["expect"] != "" && fact["expect"] != fact["technology"])
		problem("technology", "unexpected", "expected " fact["expect"] ", this is " fact["technology"])
	for (i = 1; i <= cases; i++) {
		judge(i)
		count[c_status[i]]++
		count[c_verdict[i]]++
		if (c_verdict[i] == "finding")
			print toupper(c_status[i]) " " c_id[i] ": " c_message[i]
	}
	for (i = 1; i <= problems; i++)
		print "PROBLEM " p_suite[i] ": " p_text[i]
	findings = count["finding"] + problems
	sentence = count["pass"] + 0 " passed, " count["skip"] + 0 " skipped, " count["known"] + 0 " known, " \
		findings + 0 " findings in " fact["technology"]
	code = findings ? 1 : count["pass"] ? 0 : 77
	word = findings ? "FINDINGS" : count["pass"] ? "OK" : "NOTHING APPLICABLE"
	document(code, word, sentence)
	print word ": " sentence
	exit code
}
