#include "testbed/scenario/step_client.hpp"

#include <algorithm>
#include <charconv>

#include "common/fault/words.hpp"
#include "common/nfs/op_info.hpp"

namespace pnfs::scenario {

namespace {

using namespace nfs;
using client::OpenHow;
using Answer = StepClient::Answer;

uint64_t number_in(const std::string& text, int base = 10) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// Paths of a scenario begin with '/', those of the client do not.
std::string inner(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

template <class T>
Answer answer_of(const client::Outcome<T>& outcome) {
  Answer answer;
  if (outcome) return answer;
  answer.status = outcome.error().status;
  if (answer.status == NFS4_OK) answer.wrong = client::to_string(outcome.error());
  return answer;
}

}  // namespace

std::byte step_byte(uint64_t offset) {
  return static_cast<std::byte>((offset * 2654435761u + offset / 4096 * 7) >> 5);
}

io::Task<Answer> StepClient::take(Step step) {
  const std::string verb = step.words[0];
  if (verb == "mount") co_return answer_of(co_await fs_.mount(server_));
  if (verb == "unmount") {
    files_.clear();
    co_return answer_of(co_await fs_.unmount());
  }
  if (verb == "wait") {
    co_await timers_.sleep(*fault::parse_duration(step.words[1]));
    co_return Answer{};
  }
  if (verb == "compound") co_return co_await take_compound(step.words);
  if (verb == "stat") co_return co_await take_stat(step.words);
  for (const char* each :
       {"open", "create", "close", "write", "read", "commit", "truncate", "layoutget", "layoutcommit", "layoutreturn"})
    if (verb == each) co_return co_await take_file(step.words);
  co_return co_await take_name(step.words);
}

io::Task<Answer> StepClient::take_name(Words words) {
  const std::string verb = words[0], path = inner(words[1]);
  if (verb == "mkdir") co_return answer_of(co_await fs_.mkdir(path));
  if (verb == "remove") co_return answer_of(co_await fs_.remove(path));
  if (verb == "symlink") co_return answer_of(co_await fs_.symlink(path, words[2]));
  if (verb == "rename") co_return answer_of(co_await fs_.rename(path, inner(words[2])));
  if (verb == "link") co_return answer_of(co_await fs_.link(path, inner(words[2])));
  if (verb == "chmod") {
    client::NewAttributes attributes;
    attributes.mode = static_cast<uint32_t>(number_in(words[2], 8));
    co_return answer_of(co_await fs_.setattr(path, attributes));
  }
  if (verb == "access") {
    const auto wanted = static_cast<uint32_t>(number_in(words[2]));
    const auto granted = co_await fs_.access(path, wanted);
    Answer answer = answer_of(granted);
    if (granted && *granted != wanted) answer.wrong = fmt::format("granted {} of {}", *granted, wanted);
    co_return answer;
  }
  if (verb == "readlink") {
    const auto target = co_await fs_.readlink(path);
    Answer answer = answer_of(target);
    if (target && *target != words[2]) answer.wrong = fmt::format("it points to '{}'", *target);
    co_return answer;
  }
  const auto entries = co_await fs_.readdir(path);
  Answer answer = answer_of(entries);
  if (!entries) co_return answer;
  std::vector<std::string> names, expected(words.begin() + 2, words.end());
  for (const auto& entry : *entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  std::sort(expected.begin(), expected.end());
  answer.shown = fmt::format("{}", fmt::join(names, " "));
  if (!expected.empty() && names != expected) answer.wrong = fmt::format("it holds '{}'", answer.shown);
  co_return answer;
}

io::Task<Answer> StepClient::take_stat(Words words) {
  const auto attributes = co_await fs_.getattr(inner(words[1]));
  Answer answer = answer_of(attributes);
  if (!attributes) co_return answer;
  answer.shown = fmt::format("size={} links={} mode={:o}", attributes->size.value_or(0), attributes->links.value_or(0),
                             attributes->mode.value_or(0));
  const std::string shown = " " + answer.shown + " ";
  for (size_t i = 2; i < words.size(); ++i)
    if (shown.find(" " + words[i] + " ") == std::string::npos) answer.wrong = answer.shown;
  co_return answer;
}

// Opened for both when a step needs it and no step has opened it.
io::Task<client::Outcome<client::FilePtr>> StepClient::file_of(std::string path) {
  if (const auto found = files_.find(path); found != files_.end()) co_return found->second;
  auto opened = co_await fs_.open(path, OpenHow::write());
  if (opened) files_[path] = *opened;
  co_return opened;
}

io::Task<Answer> StepClient::take_file(Words words) {
  const std::string verb = words[0], path = inner(words[1]);
  if (verb == "open" || verb == "create") {
    OpenHow how = words.size() > 2 ? OpenHow::read() : OpenHow::write();
    if (verb == "create") how = OpenHow::create_new();
    auto opened = co_await fs_.open(path, how);
    if (opened) files_[path] = *opened;
    co_return answer_of(opened);
  }
  auto file = co_await file_of(path);
  if (!file) co_return answer_of(file);
  if (verb == "close") {
    files_.erase(path);
    co_return answer_of(co_await fs_.close(*file));
  }
  if (verb == "truncate") co_return answer_of(co_await fs_.truncate(*file, number_in(words[2])));
  if (verb == "layoutget") {
    const auto iomode = words[2] == "RW" ? LAYOUTIOMODE4_RW : LAYOUTIOMODE4_READ;
    co_return answer_of(co_await fs_.layoutget(*file, iomode));
  }
  if (verb == "layoutcommit") co_return answer_of(co_await fs_.layoutcommit(*file));
  if (verb == "layoutreturn") co_return answer_of(co_await fs_.layoutreturn(*file));
  if (verb == "commit") {
    if (words.size() > 2) co_return answer_of(co_await fs_.commit(*file));
    co_return answer_of(co_await fs_.commit_striped(*file));
  }
  co_return co_await take_data(words, *file);
}

io::Task<Answer> StepClient::take_data(Words words, client::FilePtr file) {
  const bool through_mds = words.size() > 4;
  const uint64_t begin = number_in(words[2]), length = std::min<uint64_t>(number_in(words[3]), 64u << 20);
  if (words[0] == "write") {
    std::vector<std::byte> data(length);
    for (uint64_t i = 0; i < length; ++i) data[i] = step_byte(begin + i);
    if (!through_mds) co_return answer_of(co_await fs_.write_striped(file, begin, data));
    for (uint64_t done = 0; done < length;) {
      const auto wrote = co_await fs_.write(file, begin + done, std::span(data).subspan(done));
      if (!wrote) co_return answer_of(wrote);
      if (wrote->bytes == 0 || wrote->bytes > length - done)
        co_return Answer{NFS4_OK, "", fmt::format("WRITE says that it wrote {} bytes", wrote->bytes)};
      done += wrote->bytes;
    }
    co_return Answer{};
  }
  std::vector<std::byte> all;
  while (all.size() < length) {
    const auto left = static_cast<uint32_t>(length - all.size());
    client::Outcome<client::ReadData> some = client::Failure{};
    if (through_mds) {
      some = co_await fs_.read(file, begin + all.size(), left);
    } else {
      some = co_await fs_.read_striped(file, begin + all.size(), left);
    }
    if (!some) co_return answer_of(some);
    all.insert(all.end(), some->bytes.begin(), some->bytes.end());
    if (some->eof || some->bytes.empty()) break;
  }
  Answer answer;
  answer.shown = fmt::format("{} bytes", all.size());
  if (all.size() != length) answer.wrong = fmt::format("only {} of {} bytes", all.size(), length);
  for (uint64_t i = 0; i < all.size() && answer.wrong.empty(); ++i)
    if (all[i] != step_byte(begin + i)) answer.wrong = fmt::format("the byte at {} is not what was written", begin + i);
  co_return answer;
}

}  // namespace pnfs::scenario
