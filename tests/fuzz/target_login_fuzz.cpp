// libFuzzer: the PDU header, the text parser and the login state machine, fed with what a stranger sends. The input is
// a sequence of login requests: two bytes of flags and length, then that much text. Checked: no crash, and nobody gets
// in without having proven a CHAP secret.
#include <cstdlib>

#include "common/base/random.hpp"
#include "testbed/target/login.hpp"

namespace pnfs::target {
namespace {

struct Directory final : LoginDirectory {
  LoginRules none;
  LoginRules open;
  LoginRules guarded;
  Directory() {
    open.name = "iqn.a:open";
    guarded.name = "iqn.a:guarded";
    guarded.incoming = {{"joe", "a secret nobody can guess here"}};
    guarded.outgoing = ChapUser{"target", "another secret"};
  }
  const LoginRules& discovery() const override { return none; }
  const LoginRules* find(std::string_view name) const override {
    return name == open.name ? &open : name == guarded.name ? &guarded : nullptr;
  }
  bool allowed(std::string_view, std::string_view) const override { return true; }
};

void run(ConstBytes input) {
  const Directory directory;
  SeededRandom random(1);
  LoginMachine machine(directory, random);
  while (input.size() >= 3) {
    Header header;
    header.set_opcode(Opcode::login, input[0]);
    header.raw[3] = input[0] == 0xff;
    header.raw[8] = 0x40;
    const size_t length = std::min<size_t>(get16(&input[1]), input.size() - 3);
    const LoginReply reply = machine.on_request(header, input.subspan(3, length));
    input = input.subspan(3 + length);
    if (reply.complete && machine.outcome().target == directory.guarded.name) std::abort();
    if (reply.complete && machine.outcome().parameters.max_send_data_bytes < 512) std::abort();
    if (reply.complete || reply.status != LoginStatus::success) return;
  }
}

}  // namespace
}  // namespace pnfs::target

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pnfs::target::run({data, size});
  return 0;
}
