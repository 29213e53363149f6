package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whole models: a training step with Adam, and predictions of one picture and of eight, beside the
 * same in TorchScript in this process and PyTorch in another; {@code memory}: the most that a step
 * takes, of one way at a time. docs/performance.md tells the arguments.
 */
final class Models {

    private static final double OUTPUTS = 1e-4;

    /** A ReLU whose input is zero but for rounding may fall to either side. */
    private static final double GRADIENTS = 1e-2;

    private static final String ALL =
            "clevr-64,clevr-128,tetrominoes,multi-dsprites,dinosaur,"
                    + "shipped-tetrominoes,shipped-multi-dsprites,slate,gnm,diffusion";

    private final Arguments arguments;
    private final NDManager manager;
    private final @Nullable Peer peer; // null without Python

    private Models(Arguments arguments, NDManager manager) throws IOException {
        this.arguments = arguments;
        this.manager = manager;
        peer =
                arguments.get("python") == null
                        ? null
                        : new Peer(arguments.get("python"), arguments.device());
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Arguments arguments = Arguments.parse(args);
        List<String> chosen = arguments.list("modules", ALL);
        Engine.getEngine("PyTorch");
        try (NDManager manager = arguments.manager()) {
            Models models = new Models(arguments, manager);
            for (String threads : arguments.list("threads", "1")) {
                JniUtils.setNumThreads(Integer.parseInt(threads));
                for (String name : chosen) {
                    if (name.startsWith(ShippedSubject.SHIPPED)) {
                        models.predict(name, Integer.parseInt(threads));
                    } else if (!ModelSystem.NAMES.contains(name)) {
                        models.measure(ModelSize.of(name), Integer.parseInt(threads));
                    }
                }
            }
            if (models.peer != null) {
                models.peer.close();
            }
        }
        // Each with its own table, and a Python process of its own.
        for (ModelSystem system : ModelSystem.values()) {
            if (chosen.contains(system.toString())) {
                system.measure(arguments);
            }
        }
    }

    private void predict(String name, int threads) throws IOException {
        try (NDManager own = manager.newSubManager()) {
            ShippedSubject subject = new ShippedSubject(own, name);
            List<ModelWay> ways = new ArrayList<>(subject.ways());
            if (peer != null) {
                for (String who :
                        peer.load(name, subject.configuration(), threads, subject.numbers())) {
                    ways.add(peer.way(who));
                }
            }
            List<String> who = arguments.list("who", "");
            ways.removeIf(way -> arguments.get("who") != null && !who.contains(way.name()));
            compare(name, ways);
            for (String count : arguments.list("sizes", "1,8")) {
                time(name, "prediction of " + count, threads, count, ways);
            }
        }
    }

    private void measure(ModelSize size, int threads) throws IOException {
        try (NDManager own = manager.newSubManager()) {
            ModelSubject subject = new ModelSubject(own, size, arguments.within());
            List<ModelWay> ways = new ArrayList<>(subject.ways());
            if (peer != null) {
                for (String who : peer.load(size, threads, subject.numbers())) {
                    ways.add(peer.way(who));
                }
            }
            List<String> who = arguments.list("who", "");
            ways.removeIf(way -> arguments.get("who") != null && !who.contains(way.name()));
            compare(size, ways);
            for (String what : arguments.list("sizes", "step,1,8")) {
                if (what.equals("memory")) {
                    memory(size, ways);
                } else {
                    boolean step = what.equals(ModelSubject.STEP);
                    String shown = step ? "step of " + size.batch() : "prediction of " + what;
                    time(size, shown, threads, what, ways);
                }
            }
        }
    }

    private void compare(Object size, List<ModelWay> ways) {
        Map<String, float[]> expected = ways.get(0).results();
        for (ModelWay way : ways.subList(1, ways.size())) {
            Agreement agreement = Agreement.of(way.results(), expected);
            System.out.printf(
                    "%s, %s and %s: %s%n", size, ways.get(0).name(), way.name(), agreement);
            double times = arguments.within();
            if (!(agreement.outputs() < times * OUTPUTS
                    && agreement.gradients() < times * GRADIENTS)) {
                throw new IllegalStateException(way.name() + " does not agree");
            }
        }
    }

    private void time(Object size, String shown, int threads, String inputs, List<ModelWay> ways) {
        boolean training = inputs.equals(ModelSubject.STEP);
        List<Contender> contenders = new ArrayList<>();
        for (ModelWay way : ways) {
            contenders.add(contender(way, inputs));
        }
        List<Timing> timings =
                Timing.alternate(
                        contenders,
                        training,
                        arguments.number("warmups", 2),
                        arguments.number("rounds", 15),
                        arguments.number("seconds", 40));
        StringBuilder row = new StringBuilder("| " + size + " | ");
        row.append(shown).append(" | ").append(threads).append(" |");
        for (int i = 0; i < timings.size(); i++) {
            Timing timing = timings.get(i);
            row.append(
                    String.format(
                            " %s %.3g (%.3g to %.3g), %.2f |",
                            ways.get(i).name(),
                            timing.median(),
                            timing.low(),
                            timing.high(),
                            timing.median() / timings.get(0).median()));
        }
        System.out.println(row);
    }

    private static void memory(ModelSize size, List<ModelWay> ways) {
        for (ModelWay way : ways) {
            for (int i = 0; i < 3; i++) {
                way.run(ModelSubject.STEP, true);
            }
            System.out.printf(
                    "| %s | memory of a step of %d | %s %.0f MB |%n",
                    size, size.batch(), way.name(), way.peak(ModelSubject.STEP, true));
        }
    }

    private static Contender contender(ModelWay way, String inputs) {
        return new Contender() {
            @Override
            public String name() {
                return way.name();
            }

            @Override
            public double run(boolean training) {
                return way.run(inputs, training);
            }

            @Override
            public Map<String, float[]> results() {
                return way.results();
            }
        };
    }
}
