// Where events go. One sink per process (or per node of an in-process cluster), used from its one thread.
#pragma once

#include <vector>

#include "common/trace/event.hpp"

namespace pnfs::trace {

class Sink {
 public:
  virtual ~Sink() = default;
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Ask before building an event: with tracing off nothing is formatted.
  bool enabled() const { return enabled_; }
  // Events of this kind are wanted. SCSI commands are off unless asked for.
  bool enabled(Kind kind) const { return enabled_ && (kinds_ >> static_cast<unsigned>(kind) & 1) != 0; }
  void record(const Event& event) {
    if (enabled(event.kind)) write(event);
  }
  virtual void flush() {}

  void set_enabled(bool on) { enabled_ = on; }
  void set_enabled(Kind kind, bool on) {
    const uint32_t bit = uint32_t{1} << static_cast<unsigned>(kind);
    kinds_ = on ? kinds_ | bit : kinds_ & ~bit;
  }

 private:
  virtual void write(const Event& event) = 0;

  bool enabled_ = true;
  uint32_t kinds_ = ~(uint32_t{1} << static_cast<unsigned>(Kind::scsi));
};

// For code that is not given a sink.
class NullSink final : public Sink {
 public:
  NullSink() { set_enabled(false); }

 private:
  void write(const Event&) override {}
};

// Keeps everything, of every kind: tests and scenarios.
class MemorySink final : public Sink {
 public:
  MemorySink(std::string node, const Clock& clock) : node_(std::move(node)), clock_(clock) {
    set_enabled(Kind::scsi, true);
  }
  const std::vector<OwnedEvent>& events() const { return events_; }
  void clear() { events_.clear(); }

 private:
  void write(const Event& event) override;

  std::string node_;
  const Clock& clock_;
  std::vector<OwnedEvent> events_;
};

// Hands every event to two sinks.
class TeeSink final : public Sink {
 public:
  TeeSink(Sink& first, Sink& second) : first_(first), second_(second) { set_enabled(Kind::scsi, true); }
  void flush() override {
    first_.flush();
    second_.flush();
  }

 private:
  void write(const Event& event) override {
    first_.record(event);
    second_.record(event);
  }
  Sink& first_;
  Sink& second_;
};

}  // namespace pnfs::trace
