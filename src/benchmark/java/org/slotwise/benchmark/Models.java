package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slotwise.benchmark.ModelSubject.ModelContender;

/**
 * Whole models: a training step with Adam, and predictions of one picture and of eight, beside the
 * same in TorchScript in this process and PyTorch in another. docs/performance.md tells the
 * arguments.
 */
final class Models {

    private final Arguments arguments;
    private final NDManager manager;

    private Models(Arguments arguments, NDManager manager) {
        this.arguments = arguments;
        this.manager = manager;
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Models models = new Models(arguments, manager);
            for (String threads : arguments.list("threads", "1")) {
                JniUtils.setNumThreads(Integer.parseInt(threads));
                for (String name :
                        arguments.list(
                                "modules",
                                "clevr-64,clevr-128,tetrominoes,multi-dsprites,dinosaur")) {
                    models.measure(ModelSize.of(name), Integer.parseInt(threads));
                }
            }
        }
    }

    private void measure(ModelSize size, int threads) throws IOException {
        try (NDManager own = manager.newSubManager()) {
            ModelSubject subject = new ModelSubject(own, size);
            NDList few = subject.inputs(2);
            List<ModelContender> ours = subject.contenders();
            Map<String, float[]> expected = ours.get(0).results(few);
            System.out.printf("%s, threads %d%n", size, threads);
            for (ModelContender other : ours.subList(1, ours.size())) {
                System.out.printf(
                        "  %s: %s%n", other.name(), Agreement.of(other.results(few), expected));
            }
            for (String what : arguments.list("sizes", "training,1,8")) {
                boolean training = what.equals("training");
                NDList inputs = subject.inputs(training ? size.batch() : Integer.parseInt(what));
                List<Contender> contenders = new ArrayList<>();
                for (ModelContender way : ours) {
                    contenders.add(contender(way, inputs));
                }
                List<Timing> timings =
                        Timing.alternate(
                                contenders,
                                training,
                                arguments.number("warmups", 2),
                                arguments.number("rounds", 9),
                                arguments.number("seconds", 40));
                StringBuilder row = new StringBuilder();
                row.append(
                        String.format(
                                "| %s | %s | %d |",
                                size,
                                training ? "step of " + size.batch() : "prediction of " + what,
                                threads));
                for (int i = 0; i < timings.size(); i++) {
                    row.append(
                            String.format(
                                    " %s %s (%.2f) |",
                                    contenders.get(i).name(),
                                    timings.get(i),
                                    timings.get(i).median() / timings.get(0).median()));
                }
                System.out.println(row);
            }
        }
    }

    private static Contender contender(ModelContender way, NDList inputs) {
        return new Contender() {
            @Override
            public String name() {
                return way.name();
            }

            @Override
            public double run(boolean training) {
                return Contender.milliseconds(
                        () -> {
                            if (training) {
                                way.step(inputs);
                            } else {
                                way.predict(inputs);
                            }
                        });
            }

            @Override
            public Map<String, float[]> results() {
                return way.results(inputs);
            }
        };
    }
}
