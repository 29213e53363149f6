package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * U-Nets on slots beside the same computation in TorchScript in the same process, and beside
 * PyTorch in another: {@code sampling} of 25 steps and a training {@code step} in time, {@code
 * memory} of a step, {@code leak}: resident memory over 1,000 steps of sampling.
 * docs/performance.md tells the arguments.
 */
final class DiffusionSpeed {

    private static final String PEER = "denoiser_peer.py";

    private final Arguments arguments;
    private final DenoiserSize size;
    private final int threads;
    private final DenoiserSubject subject;

    private DiffusionSpeed(NDManager manager, Arguments arguments, DenoiserSize size, int threads) {
        this.arguments = arguments;
        this.size = size;
        this.threads = threads;
        subject = new DenoiserSubject(manager, size, threads);
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        for (String name : arguments.list("sizes", "tiny,small,wide")) {
            DenoiserSize size = DenoiserSize.valueOf(name.toUpperCase(Locale.ROOT));
            for (String threads : arguments.list("threads", "1,2")) {
                int count = Integer.parseInt(threads);
                EngineThreads.set(count);
                try (NDManager manager = arguments.manager()) {
                    new DiffusionSpeed(manager, arguments, size, count).measure();
                }
            }
        }
    }

    private void measure() throws IOException {
        List<String> what = arguments.list("modules", "sampling,step");
        if (what.contains("memory")) {
            memory();
        }
        if (what.contains("leak")) {
            leak();
        }
        if (!what.contains("sampling") && !what.contains("step")) {
            return;
        }
        List<Contender> contenders =
                new ArrayList<>(
                        List.of(subject.library(), subject.plain(false), subject.plain(true)));
        try (Peer peer = Peer.of(arguments, PEER)) {
            if (peer != null) {
                contenders.addAll(peer.contenders(subject.request(), threads, subject.numbers()));
            }
            Comparison.keep(size, contenders, arguments, System.out);
            if (what.contains("sampling")) {
                time("sampling, " + DenoiserSubject.STEPS + " steps", false, contenders);
            }
            if (what.contains("step")) {
                time("training step", true, contenders);
            }
        }
    }

    private void time(String what, boolean training, List<Contender> contenders) {
        List<Timing> timings = Timing.alternate(contenders, training, arguments, 5, 25, 60);
        System.out.printf(
                "| %s, %s | %d |%s%n", what, size, threads, Timing.cells(contenders, timings));
    }

    /** Peak of a training step beyond what was resident: one way in a process. */
    private void memory() throws IOException {
        arguments.requireCpu("memory");
        String who = arguments.list("who", "library").get(0);
        double peak;
        if (who.equals("eager") || who.equals("compile")) {
            peak =
                    Peer.peakOfStep(
                            arguments, PEER, subject.request(), threads, subject.numbers(), who);
        } else {
            Contender step =
                    who.equals("library") ? subject.library() : subject.plain(who.equals("scores"));
            peak = PeakMemory.peak(() -> step.run(true));
        }
        System.out.printf(
                "training step, %s, %s: peak %.1f MB beyond what there was%n", size, who, peak);
    }

    private void leak() throws IOException {
        for (int i = 1; i <= 10; i++) {
            subject.sampled(100).close();
            Resident.settle(); // what grows is not Java's heap then
            System.out.printf(
                    "%s, %d steps: resident %.1f MB%n", size, 100 * i, Resident.megabytes("VmRSS"));
        }
    }
}
