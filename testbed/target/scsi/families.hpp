// The entry points of the command families, for the table in opcodes.cpp: one .cpp per family.
#pragma once

#include "testbed/target/scsi/dispatch.hpp"

namespace pnfs::target::scsi {

void check_read(Command&);
void execute_read(Command&);
void check_write(Command&);
void execute_write(Command&);
void check_verify(Command&);
void execute_verify(Command&);
void check_write_verify(Command&);
void execute_write_verify(Command&);
void check_prefetch(Command&);
void execute_prefetch(Command&);
void check_sync_cache(Command&);
void execute_sync_cache(Command&);
void check_or_write(Command&);
void execute_or_write(Command&);
void check_write_atomic(Command&);
void check_compare_and_write(Command&);
void execute_compare_and_write(Command&);
void check_write_same(Command&);
void execute_write_same(Command&);
void check_unmap(Command&);
void execute_unmap(Command&);
void execute_lba_status(Command&);

void execute_test_unit_ready(Command&);
void execute_request_sense(Command&);
void execute_inquiry(Command&);
void execute_report_luns(Command&);
void execute_read_capacity_10(Command&);
void execute_read_capacity_16(Command&);
void execute_mode_sense(Command&);
void check_mode_select(Command&);
void execute_mode_select(Command&);
void execute_report_opcodes(Command&);
void execute_report_task_functions(Command&);
void execute_read_defects_10(Command&);
void execute_read_defects_12(Command&);

void execute_reserve6(Command&);
void execute_release6(Command&);
void execute_start_stop(Command&);
void execute_prevent_allow(Command&);
void execute_persistent_in(Command&);
void check_persistent_out(Command&);
void execute_persistent_out(Command&);
void check_sanitize(Command&);
void execute_sanitize(Command&);
void check_extended_copy(Command&);
void execute_extended_copy(Command&);
void execute_receive_copy_results(Command&);

}  // namespace pnfs::target::scsi
