// What a device does in order, for the race detector: the work of one stream, and that of several as far as events, captures and
// waits of the host order it. All that the host has waited for comes before all that it puts in later, whatever its thread: what
// threads of the host owe each other is not looked at.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

namespace order {

// Clock tells how much of each line comes before something: by the line's number, that of its last work.
using Clock = std::map<uint32_t, uint32_t>;

// Place is where work stands: in which line, the how manieth there, and after what of others.
struct Place {
	uint32_t line = 0, number = 0;
	Clock after;
};

bool before(const Place &a, const Place &b);

// Line is the work of a stream, or of one within a capture.
class Line {
public:
	explicit Line(uint32_t number) : number(number) {}
	Place next();
	Clock end() const;
	void join(const Clock &c);

private:
	uint32_t number, count = 0;
	Clock after;
};

Line fresh_line(); // of a stream

// The same for streams, with what the host has waited for.
Place next(Line &l);
void host_waits(const Clock &c);

// Where is the place of work that this thread does: in its stream, and, of a graph, within the graph, whose launches are numbered.
struct Where {
	Place outer;
	std::shared_ptr<const Place> inner;
	uint32_t launch = 0;
	uint32_t horizon = 0; // operations below this number (races.h) come before it, since the host has waited for all
};
extern thread_local Where where;

bool before(const Where &a, const Where &b);
uint32_t graph_launch(); // a number for one
uint32_t horizon();

} // namespace order
