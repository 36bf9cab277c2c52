// Clocks of streams. See order.h.
#include "order.h"

#include "races.h"

#include <algorithm>
#include <mutex>

namespace order {
namespace {

std::mutex guard;
uint32_t lines, graph_launches, all_before;
Clock host;   // what it has waited for, and
Clock newest; // what it has put in, since it last had waited for all

void add(Clock &c, const Clock &other) {
	for (const auto &o : other) {
		uint32_t &n = c[o.first];
		n = std::max(n, o.second);
	}
}

} // namespace

thread_local Where where;

bool before(const Place &a, const Place &b) {
	if (a.line == b.line)
		return a.number < b.number;
	const auto i = b.after.find(a.line);
	return i != b.after.end() && a.number <= i->second;
}

bool before(const Where &a, const Where &b) {
	if (a.launch && a.launch == b.launch)
		return before(*a.inner, *b.inner);
	return before(a.outer, b.outer);
}

Place Line::next() { return {number, ++count, after}; }

Clock Line::end() const {
	Clock c = after;
	c[number] = count;
	return c;
}

void Line::join(const Clock &c) { add(after, c); }

Line fresh_line() {
	std::lock_guard<std::mutex> l(guard);
	return Line(++lines);
}

Place next(Line &l) {
	if (!races::on)
		return {};
	Place p = l.next();
	std::lock_guard<std::mutex> g(guard);
	add(p.after, host);
	newest[p.line] = p.number;
	return p;
}

// Where the host has waited for all, numbers of operations say so, and clocks need not.
void host_waits(const Clock &c) {
	if (!races::on)
		return;
	std::lock_guard<std::mutex> g(guard);
	add(host, c);
	for (const auto &n : newest) {
		const auto i = host.find(n.first);
		if (i == host.end() || i->second < n.second)
			return;
	}
	host.clear();
	newest.clear();
	all_before = races::operations() + 1;
}

uint32_t graph_launch() {
	std::lock_guard<std::mutex> g(guard);
	return ++graph_launches;
}

uint32_t horizon() {
	std::lock_guard<std::mutex> g(guard);
	return all_before;
}

} // namespace order
