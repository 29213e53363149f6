package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.slotwise.benchmark.Results.Row;

/**
 * Times the library beside the plain computation in one process, and beside Python in another,
 * taking turns. docs/performance.md tells the arguments.
 */
final class Speed implements AutoCloseable {

    private final Arguments arguments;
    private final Peer peer; // null without Python
    private final Results results = new Results();

    private Speed(Arguments arguments) throws IOException {
        this.arguments = arguments;
        peer = Peer.of(arguments, "peer.py");
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        try (Speed speed = new Speed(arguments)) {
            for (String count : arguments.list("threads", "1")) {
                boolean all = count.equals("all");
                int threads =
                        all ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(count);
                EngineThreads.set(threads);
                speed.measure(threads);
            }
        }
    }

    private void measure(int threads) throws IOException {
        for (String name : arguments.list("modules", "SlotAttention,StickBreaking,KMeans")) {
            Module module = Module.of(name);
            for (String sizes : arguments.list("sizes", "fixed")) {
                List<Size> measured =
                        switch (sizes) {
                            case "fixed" -> Size.fixed(module);
                            case "n" -> Size.overN(module);
                            case "k" -> Size.overK(module);
                            default -> throw new IllegalArgumentException("no sizes " + sizes);
                        };
                for (Size size : measured) {
                    measure(module, size, threads);
                    save();
                }
            }
        }
    }

    private void measure(Module module, Size size, int threads) throws IOException {
        System.out.printf(
                "%s %s: B %d, N %d, F %d, C %d, K %d, T %d; threads %d%n",
                module, size, size.b(), size.n(), size.f(), size.c(), size.k(), size.t(), threads);
        try (NDManager manager = arguments.manager()) {
            List<Contender> contenders = new ArrayList<>();
            Map<String, NDArray> numbers;
            if (module == Module.K_MEANS) {
                KMeansSubject subject = new KMeansSubject(manager, size);
                contenders.add(subject);
                numbers = subject.numbers();
            } else {
                Subject subject = Subject.of(manager, module, size);
                contenders.addAll(subject.contenders());
                numbers = subject.numbers();
            }
            if (peer != null) {
                contenders.addAll(peer.contenders(size.request(module), threads, numbers));
            }
            Comparison.keep(size, contenders, arguments, System.out);
            time(module, size, threads, contenders, false);
            if (module != Module.K_MEANS) {
                time(module, size, threads, contenders, true);
            }
        }
    }

    private void time(
            Module module, Size size, int threads, List<Contender> contenders, boolean training) {
        boolean slow = module == Module.K_MEANS;
        List<Timing> timings =
                Timing.alternate(contenders, training, arguments, slow ? 1 : 8, 15, 60);
        String pass = training ? "forward+backward" : "inference";
        System.out.println("  " + pass);
        // The plain computation as it comes; for k-means scikit-learn at its best.
        double plain =
                IntStream.range(0, timings.size())
                        .filter(i -> contenders.get(i).name().matches("plain|sklearn.*"))
                        .mapToDouble(i -> timings.get(i).median())
                        .min()
                        .orElse(Double.NaN);
        for (int i = 0; i < timings.size(); i++) {
            String name = contenders.get(i).name();
            double ratio = plain / timings.get(i).median();
            System.out.printf("    %-15s %s   %.2f times as fast%n", name, timings.get(i), ratio);
            results.add(
                    new Row(module.toString(), size, pass, threads, name, timings.get(i), ratio));
        }
    }

    /** After each size, so that what was measured survives if the rest is stopped. */
    private void save() throws IOException {
        if (arguments.get("csv") != null) {
            results.write(Path.of(arguments.get("csv")));
        }
    }

    @Override
    public void close() throws IOException {
        if (arguments.get("plot") != null) {
            Plot.draw(results, Path.of(arguments.get("plot")));
        }
        if (peer != null) {
            peer.close();
        }
    }
}
