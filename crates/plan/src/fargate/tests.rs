use super::*;

#[test]
fn only_the_sizes_of_the_table_fit() {
    let fits = |cpu, memory| fits(CpuUnits(cpu), Mebibytes(memory));
    for (cpu, memory) in [(256, 512), (256, 2048), (512, 3072), (1024, 8192), (4096, 30720), (16384, 40960)] {
        assert!(fits(cpu, memory), "{cpu} {memory}");
    }
    for (cpu, memory) in [(256, 1536), (256, 4096), (300, 512), (512, 512), (8192, 17408), (1024, 2049)] {
        assert!(!fits(cpu, memory), "{cpu} {memory}");
    }
}
