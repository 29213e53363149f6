package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slotwise.internal.NoGraph;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.slate.SlateNoise;

/**
 * SLATE beside the authors' computation in TorchScript in the same process, and beside PyTorch in
 * another: {@code generation}, {@code training}, {@code tokens} (generation by the number of
 * tokens), {@code halves} (a step of both halves beside one on kept tokens, at the example's
 * sizes), {@code leak} (resident memory over 1,000 generations), {@code memory}.
 * docs/performance.md tells the arguments.
 */
final class SlateSpeed {

    private static final String PEER = "slate_peer.py";

    private final NDManager manager;
    private final Arguments arguments;

    private SlateSpeed(NDManager manager, Arguments arguments) {
        this.manager = manager;
        this.arguments = arguments;
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        try (NDManager manager = arguments.manager()) {
            SlateSpeed speed = new SlateSpeed(manager, arguments);
            for (String threads : arguments.list("threads", "1")) {
                JniUtils.setNumThreads(Integer.parseInt(threads));
                System.out.printf("threads %s%n", threads);
                for (String what : arguments.list("modules", "generation,training,tokens")) {
                    switch (what) {
                        case "generation" -> speed.generation();
                        case "training" -> speed.training(Integer.parseInt(threads));
                        case "tokens" -> speed.tokens();
                        case "halves" -> speed.halves();
                        case "leak" -> speed.leak();
                        case "memory" -> speed.memory(Integer.parseInt(threads));
                        default -> throw new IllegalArgumentException("no module " + what);
                    }
                }
            }
        }
    }

    private Slate slate(SlateConfiguration sizes) {
        return SlateSubject.slate(manager, sizes);
    }

    private List<Timing> time(List<Contender> contenders) {
        return Timing.alternate(contenders, true, arguments, 1, 5, 60);
    }

    private Contender contender(String name, Runnable run) {
        return Contender.of(manager, name, run, Map::of);
    }

    /** 256 tokens, 4 blocks, width 192. */
    private void generation() {
        Slate slate = slate(SlateConfiguration.shapes3d());
        SlatePlain plain = SlateSubject.plain(manager, slate, 0);
        for (String size : arguments.list("sizes", "1,16")) {
            int batch = Integer.parseInt(size);
            NDArray slots = manager.randomNormal(new Shape(batch, 3, 192));
            long[] ours = tokens(slate, slots);
            long[] theirs = NoGraph.during(() -> plain.generate(slots, 256).toLongArray());
            long same = 0;
            for (int i = 0; i < ours.length; i++) {
                same += ours[i] == theirs[i] ? 1 : 0;
            }
            List<Contender> contenders =
                    new ArrayList<>(
                            List.of(
                                    contender("library", () -> tokens(slate, slots)),
                                    contender(
                                            "plain",
                                            () ->
                                                    NoGraph.during(
                                                            () -> {
                                                                plain.generate(slots, 256).close();
                                                                return slots;
                                                            }))));
            contenders.removeIf(contender -> !arguments.takesPart(contender.name()));
            if (contenders.isEmpty()) {
                System.out.println("generation of 256 tokens: by nobody who takes part");
                return;
            }
            System.out.printf(
                    "| generation of 256 tokens, batch %d |%s %d of %d tokens equal |%n",
                    batch, Timing.cells(contenders, time(contenders)), same, ours.length);
        }
    }

    private static long[] tokens(Slate slate, NDArray slots) {
        try (NDManager scratch = slots.getManager().newSubManager()) {
            NDArray own = slots.duplicate();
            own.attach(scratch);
            return slate.generate(new ParameterStore(scratch, false), own).tokens().toLongArray();
        }
    }

    private void training(int threads) throws IOException {
        SlateSubject subject = new SlateSubject(manager);
        List<Contender> contenders =
                new ArrayList<>(List.of(subject.library(), subject.oneGraph(), subject.plain()));
        try (Peer peer = Peer.of(arguments, PEER)) {
            if (peer != null) {
                contenders.addAll(peer.contenders(subject.request(), threads, subject.numbers()));
            }
            Comparison.keep("training step", contenders, arguments, System.out);
            List<Timing> timings = time(contenders);
            System.out.printf(
                    "| training step, batch %d |%s%n",
                    SlateSubject.BATCH, Timing.cells(contenders, timings));
        }
    }

    /** The cost of a picture by its tokens. */
    private void tokens() throws IOException {
        StringBuilder csv = new StringBuilder("tokens,library_ms,library_ms_per_token,plain_ms\n");
        for (int side : new int[] {8, 16, 32, 64}) {
            int count = side * side;
            SlateConfiguration sizes =
                    new SlateConfiguration(
                            4 * side,
                            3,
                            1024,
                            192,
                            new SlateConfiguration.Transformer(4, 4, 0.1),
                            new SlateConfiguration.Slots(3, 192, 3, 1, 192, false));
            Slate slate = slate(sizes);
            NDArray slots = manager.randomNormal(new Shape(1, 3, 192));
            int repeats = count > 1000 ? 1 : 3;
            double[] ms = new double[repeats];
            for (int i = 0; i < repeats; i++) {
                ms[i] = Contender.milliseconds(manager, () -> tokens(slate, slots));
            }
            Arrays.sort(ms);
            double ours = ms[repeats / 2];
            double theirs = Double.NaN;
            if (count <= 256) {
                SlatePlain plain = SlateSubject.plain(manager, slate, 0);
                theirs =
                        Contender.milliseconds(
                                manager,
                                () ->
                                        NoGraph.during(
                                                () -> {
                                                    plain.generate(slots, count).close();
                                                    return slots;
                                                }));
            }
            String row =
                    String.format(
                            java.util.Locale.ROOT,
                            "%d,%.0f,%.3f,%s%n",
                            count,
                            ours,
                            ours / count,
                            Double.isNaN(theirs)
                                    ? ""
                                    : String.format(java.util.Locale.ROOT, "%.0f", theirs));
            System.out.print(row);
            csv.append(row);
        }
        if (arguments.get("csv") != null) {
            Files.writeString(Path.of(arguments.get("csv")), csv);
        }
        if (arguments.get("plot") != null) {
            SlatePlot.draw(csv.toString(), Path.of(arguments.get("plot")));
        }
    }

    private static SlateConfiguration small() {
        return new SlateConfiguration(
                32,
                3,
                64,
                64,
                new SlateConfiguration.Transformer(2, 4, 0),
                new SlateConfiguration.Slots(4, 64, 1, 1, 64, true));
    }

    /** What it saves to keep tokens: batch 32, forward and backward. */
    private void halves() {
        SlateConfiguration sizes = small();
        Slate slate = slate(sizes);
        NDArray images = manager.randomUniform(0, 1, new Shape(32, 3, 32, 32));
        NDArray tokens = slate.dvae().tokens(new ParameterStore(manager, false), images);
        Runnable both =
                () -> {
                    try (NDManager scratch = manager.newSubManager();
                            GradientCollector collector =
                                    Engine.getEngine("PyTorch").newGradientCollector();
                            NDScope scope = new NDScope()) {
                        scope.suppressNotUsedWarning();
                        ParameterStore store = new ParameterStore(scratch, false);
                        collector.backward(
                                slate.step(
                                                store,
                                                images,
                                                SlateSubject.SOFT,
                                                SlateNoise.drawn(),
                                                true)
                                        .loss());
                    }
                };
        Runnable encoded =
                () -> {
                    slate.dvae().tokens(new ParameterStore(manager, false), images).close();
                    explained(slate, tokens);
                };
        List<Timing> timings =
                time(
                        List.of(
                                contender("both", both),
                                contender("encoded", encoded),
                                contender("kept", () -> explained(slate, tokens))));
        System.out.printf(
                "step of 32 pictures: both halves %s, tokens made anew %s, tokens kept %s%n",
                timings.get(0), timings.get(1), timings.get(2));
    }

    private void explained(Slate slate, NDArray tokens) {
        try (NDManager scratch = manager.newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            ParameterStore store = new ParameterStore(scratch, false);
            collector.backward(
                    slate.explain(store, tokens, SlateNoise.drawn(), true).crossEntropy());
        }
    }

    /** Small pictures, so that a leak of one array would show. */
    private void leak() throws IOException {
        Slate slate = slate(small());
        NDArray slots = manager.randomNormal(new Shape(1, 4, 64));
        for (int i = 1; i <= 1000; i++) {
            tokens(slate, slots);
            if (i % 100 == 0) {
                System.out.printf(
                        "generation %d: resident %.1f MB%n", i, Resident.megabytes("VmRSS"));
            }
        }
    }

    /** Peak of a training step beyond what was resident: one way in a process. */
    private void memory(int threads) throws IOException {
        arguments.requireCpu("memory");
        String who = arguments.list("who", "library").get(0);
        SlateSubject subject = new SlateSubject(manager);
        double peak;
        if (who.equals("eager") || who.equals("compile")) {
            peak =
                    Peer.peakOfStep(
                            arguments, PEER, subject.request(), threads, subject.numbers(), who);
        } else {
            Contender step =
                    switch (who) {
                        case "library" -> subject.library();
                        case "graph" -> subject.oneGraph();
                        case "plain" -> subject.plain();
                        default -> throw new IllegalArgumentException("nobody is called " + who);
                    };
            peak = PeakMemory.peak(() -> step.run(true));
        }
        System.out.printf(
                "training step, batch %d, %s: peak %.1f MB beyond what was there%n",
                SlateSubject.BATCH, who, peak);
    }
}
