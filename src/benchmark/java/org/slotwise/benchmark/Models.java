package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whole models: a training step with Adam, and predictions of one picture and of eight, beside the
 * same in TorchScript in this process and PyTorch in another; {@code memory}: the most that these
 * take, of one way at a time. docs/performance.md tells the arguments.
 */
final class Models {

    private static final String ALL =
            "clevr-64,clevr-128,tetrominoes,multi-dsprites,dinosaur,"
                    + "shipped-tetrominoes,shipped-multi-dsprites,slate,gnm,diffusion";

    private final Arguments arguments;
    private final NDManager manager;
    private final @Nullable Peer peer; // null without Python

    private Models(Arguments arguments, NDManager manager) throws IOException {
        this.arguments = arguments;
        this.manager = manager;
        peer = Peer.of(arguments, "peer.py");
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Arguments arguments = Arguments.parse(args);
        List<String> chosen = arguments.list("modules", ALL);
        Engine.getEngine("PyTorch");
        try (NDManager manager = arguments.manager()) {
            Models models = new Models(arguments, manager);
            for (String threads : arguments.list("threads", "1")) {
                EngineThreads.set(Integer.parseInt(threads));
                for (String name : chosen) {
                    if (!ModelSystem.NAMES.contains(name)) {
                        models.measure(name, Integer.parseInt(threads));
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

    private void measure(String name, int threads) throws IOException {
        try (NDManager own = manager.newSubManager()) {
            WholeModel model =
                    name.startsWith(ShippedSubject.SHIPPED)
                            ? new ShippedSubject(own, name)
                            : new ModelSubject(own, ModelSize.of(name), arguments.within());
            List<String> measured = arguments.list("sizes", WholeModel.STEP + ",1,8");
            WholeModel.Compared compared = WholeModel.Compared.of(measured);
            List<ModelWay> ways = new ArrayList<>(model.ways(compared));
            if (peer != null) {
                ways.addAll(peer.ways(model, compared, threads));
            }
            double within = arguments.within();
            Comparison.keep(name, ways, arguments, found -> model.holds(found, within), System.out);
            for (String what : measured) {
                if (what.equals("memory")) {
                    for (String inputs : List.of(WholeModel.STEP, "8", "1")) {
                        memory(name + " | memory of a " + shown(model, inputs), ways, inputs);
                    }
                } else {
                    time(name + " | " + shown(model, what) + " | " + threads, ways, what);
                }
            }
        }
    }

    private static String shown(WholeModel model, String inputs) {
        return inputs.equals(WholeModel.STEP)
                ? "step of " + model.batch()
                : "prediction of " + inputs;
    }

    /** Those who make such a pass. */
    private static List<ModelWay> able(String row, List<ModelWay> ways, String inputs) {
        if (!inputs.equals(WholeModel.STEP)) {
            return ways;
        }
        ways.stream()
                .filter(way -> !way.trains())
                .forEach(
                        way ->
                                System.out.println(
                                        row + ": without " + way.name() + ", which only predicts"));
        return ways.stream().filter(ModelWay::trains).toList();
    }

    private void time(String row, List<ModelWay> ways, String inputs) {
        List<Contender> contenders =
                able(row, ways, inputs).stream().map(way -> contender(way, inputs)).toList();
        if (contenders.isEmpty()) {
            return;
        }
        List<Timing> timings =
                Timing.alternate(contenders, inputs.equals(WholeModel.STEP), arguments, 2, 15, 40);
        System.out.println("| " + row + " |" + Timing.cells(contenders, timings));
    }

    private static void memory(String row, List<ModelWay> ways, String inputs) {
        boolean training = inputs.equals(WholeModel.STEP);
        for (ModelWay way : able(row, ways, inputs)) {
            for (int i = 0; i < 3; i++) {
                way.run(inputs, training);
            }
            double peak = way.peak(inputs, training);
            System.out.printf("| %s | %s %.1f MB |%n", row, way.name(), peak);
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
