package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slotwise.internal.NoGraph;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.slate.SlateNoise;
import org.slotwise.slate.SlateOutput;
import org.slotwise.weights.StateDict;

/**
 * SLATE beside the authors' computation in TorchScript in the same process, and beside PyTorch in
 * another: {@code generation}, {@code training}, {@code tokens} (generation by the number of
 * tokens), {@code halves} (a step of both halves beside one on kept tokens, at the example's
 * sizes), {@code leak} (resident memory over 1,000 generations), {@code memory}.
 * docs/performance.md tells the arguments.
 */
final class SlateSpeed {

    private static final GumbelSoftmax SOFT = new GumbelSoftmax(1, false);
    private static final int BATCH = 8;

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
                        case "training" -> speed.training(threads);
                        case "tokens" -> speed.tokens();
                        case "halves" -> speed.halves();
                        case "leak" -> speed.leak();
                        case "memory" -> speed.memory();
                        default -> throw new IllegalArgumentException("no module " + what);
                    }
                }
            }
        }
    }

    private Slate slate(SlateConfiguration sizes) {
        Slate slate = new Slate(sizes);
        manager.getEngine().setRandomSeed(0);
        int side = sizes.imageSize();
        slate.initialize(manager, DataType.FLOAT32, new Shape(1, sizes.channels(), side, side));
        slate.getParameters().forEach(p -> p.getValue().getArray().setName(null));
        return slate;
    }

    private static SlatePlain plain(NDManager manager, Slate slate, double dropout) {
        SlateConfiguration sizes = slate.sizes();
        return new SlatePlain(
                manager,
                StateDict.of(slate),
                sizes.transformer().blocks(),
                sizes.slots().iterations(),
                dropout);
    }

    private List<Timing> time(List<Contender> contenders) {
        return Timing.alternate(
                contenders,
                true,
                arguments.number("warmups", 1),
                arguments.number("rounds", 5),
                arguments.number("seconds", 60));
    }

    private Contender contender(String name, Runnable run) {
        return new Contender() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public double run(boolean training) {
                return Contender.milliseconds(manager, run);
            }

            @Override
            public Map<String, float[]> results() {
                return Map.of();
            }
        };
    }

    /** 256 tokens, 4 blocks, width 192. */
    private void generation() {
        Slate slate = slate(SlateConfiguration.shapes3d());
        SlatePlain plain = plain(manager, slate, 0);
        for (String size : arguments.list("sizes", "1,16")) {
            int batch = Integer.parseInt(size);
            NDArray slots = manager.randomNormal(new Shape(batch, 3, 192));
            long[] ours = tokens(slate, slots);
            long[] theirs = NoGraph.during(() -> plain.generate(slots, 256).toLongArray());
            long same = 0;
            for (int i = 0; i < ours.length; i++) {
                same += ours[i] == theirs[i] ? 1 : 0;
            }
            List<Timing> timings =
                    time(
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
            System.out.printf(
                    "generation of 256 tokens, batch %d: library %s, plain %s: %.1f times;"
                            + " %d of %d tokens equal%n",
                    batch,
                    timings.get(0),
                    timings.get(1),
                    timings.get(1).median() / timings.get(0).median(),
                    same,
                    ours.length);
        }
    }

    private static long[] tokens(Slate slate, NDArray slots) {
        try (NDManager scratch = slots.getManager().newSubManager()) {
            NDArray own = slots.duplicate();
            own.attach(scratch);
            return slate.generate(new ParameterStore(scratch, false), own).tokens().toLongArray();
        }
    }

    /** A step's inputs: images, two draws, the slots' noise. */
    private NDList inputs(SlateConfiguration sizes) {
        int side = sizes.imageSize();
        Shape codes = new Shape(BATCH, sizes.vocabulary(), sizes.side(), sizes.side());
        return new NDList(
                manager.randomUniform(0, 1, new Shape(BATCH, sizes.channels(), side, side)),
                manager.randomNormal(codes),
                manager.randomNormal(codes),
                manager.randomNormal(new Shape(BATCH, sizes.slots().count(), sizes.slots().dim())));
    }

    private static SlateOutput ours(NDManager scratch, Slate slate, NDList in, boolean training) {
        ParameterStore store = new ParameterStore(scratch, false);
        return slate.step(store, in.get(0), SOFT, noise(in), training);
    }

    private static SlateNoise noise(NDList in) {
        return new SlateNoise(in.get(1), in.get(2), in.get(3), Map.of());
    }

    /** Forward and backward; the updates of the optimizer are left out. */
    private static void ourStep(NDManager manager, Slate slate, NDList in) {
        try (NDManager scratch = manager.newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            ParameterStore store = new ParameterStore(scratch, false);
            slate.backward(store, in.get(0), SOFT, noise(in), collector::backward);
        }
    }

    /** The same with both halves in one graph. */
    private static void oneGraph(NDManager manager, Slate slate, NDList in) {
        try (NDManager scratch = manager.newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            collector.backward(ours(scratch, slate, in, true).loss());
        }
    }

    private static void plainStep(SlatePlain plain, NDList in) {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            NDList out = plain.step(in.get(0), in.get(1), in.get(2), in.get(3));
            collector.backward(out.get(0).add(out.get(1)));
        }
    }

    private void training(String threads) throws IOException {
        SlateConfiguration sizes = SlateConfiguration.shapes3d();
        Slate slate = slate(sizes);
        NDList in = inputs(sizes);
        SlatePlain certain = plain(manager, slate, 0);
        NDList theirs =
                NoGraph.during(() -> certain.step(in.get(0), in.get(1), in.get(2), in.get(3)));
        try (NDManager scratch = manager.newSubManager()) {
            SlateOutput out = ours(scratch, slate, in, false);
            System.out.printf(
                    "cross entropy %.4f and %.4f, squared error %.4f and %.4f%n",
                    out.crossEntropy().getFloat(),
                    theirs.get(0).getFloat(),
                    out.mse().getFloat(),
                    theirs.get(1).getFloat());
        }
        SlatePlain plain = plain(manager, slate, sizes.transformer().dropout());
        List<Contender> contenders =
                new ArrayList<>(
                        List.of(
                                contender("library", () -> ourStep(manager, slate, in)),
                                contender("one graph", () -> oneGraph(manager, slate, in)),
                                contender("plain", () -> plainStep(plain, in))));
        Process python = arguments.get("python") == null ? null : python(threads);
        if (python != null) {
            BufferedReader answers = python.inputReader();
            Writer requests = python.outputWriter();
            contenders.add(
                    new Contender() {
                        @Override
                        public String name() {
                            return "eager";
                        }

                        @Override
                        public double run(boolean training) {
                            try {
                                requests.write("step\n");
                                requests.flush();
                                return Double.parseDouble(answers.readLine());
                            } catch (IOException e) {
                                throw new IllegalStateException(e);
                            }
                        }

                        @Override
                        public Map<String, float[]> results() {
                            return Map.of();
                        }
                    });
        }
        List<Timing> timings = time(contenders);
        for (int i = 0; i < timings.size(); i++) {
            System.out.printf(
                    "training step, batch %d: %-8s %s   library %.2f times as fast%n",
                    BATCH,
                    contenders.get(i).name(),
                    timings.get(i),
                    timings.get(i).median() / timings.get(0).median());
        }
        if (python != null) {
            python.destroy();
        }
    }

    private Process python(String threads) throws IOException {
        return new ProcessBuilder(
                        arguments.get("python"),
                        "src/benchmark/python/slate_peer.py",
                        threads,
                        Python.name(arguments.device()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
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
                SlatePlain plain = plain(manager, slate, 0);
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
                                slate.step(store, images, SOFT, SlateNoise.drawn(), true).loss());
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

    /** Peak of a training step beyond what was resident, each way in turn in this process. */
    private void memory() {
        arguments.requireCpu("memory");
        SlateConfiguration sizes = SlateConfiguration.shapes3d();
        Slate slate = slate(sizes);
        NDList in = inputs(sizes);
        String who = arguments.list("who", "library").get(0);
        SlatePlain plain = plain(manager, slate, sizes.transformer().dropout());
        Runnable step =
                switch (who) {
                    case "library" -> () -> ourStep(manager, slate, in);
                    case "graph" -> () -> oneGraph(manager, slate, in);
                    case "plain" -> () -> plainStep(plain, in);
                    default -> throw new IllegalArgumentException("nobody is called " + who);
                };
        for (int i = 0; i < 3; i++) {
            step.run();
        }
        double peak = Resident.peak(step);
        System.out.printf(
                "training step, batch %d, %s: peak %.1f MB beyond what was there%n",
                BATCH, who, peak);
    }
}
