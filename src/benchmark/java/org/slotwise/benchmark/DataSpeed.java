package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.weights.StateDict;

/**
 * Pictures a second from files to batches of tensors, images and masks, beside PyTorch's {@code
 * DataLoader} on the same files with as many workers as the library has threads.
 * docs/performance.md tells the arguments.
 */
final class DataSpeed {

    private static final int BATCH = 32;

    /** Resized images may differ by the rounding of bytes: Pillow's numbers have fewer bits. */
    private static final double ROUNDING = 1.01 / 255;

    private final Arguments arguments;
    private final NDManager manager;
    private final @Nullable Python python; // null without Python

    private DataSpeed(Arguments arguments, NDManager manager) throws IOException {
        this.arguments = arguments;
        this.manager = manager;
        String interpreter = arguments.get("python");
        python = interpreter == null ? null : new Python(interpreter, "data_peer.py", Map.of());
    }

    /** Goes through all scenes once. */
    private interface Epoch {
        double milliseconds() throws IOException, TranslateException;
    }

    private record Way(String name, Epoch epoch) {}

    public static void main(String[] args) throws IOException, TranslateException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        EngineThreads.set(1);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            DataSpeed speed = new DataSpeed(arguments, manager);
            for (DataSize size : DataSize.values()) {
                for (DataForm form : DataForm.values()) {
                    List<String> chosen = arguments.list("modules", size + "-" + form);
                    boolean possible = form != DataForm.DEFLATED || speed.python != null;
                    if (possible && chosen.contains(size + "-" + form)) {
                        speed.measure(size, form);
                    }
                }
            }
            if (speed.python != null) {
                speed.python.close();
            }
        }
    }

    private void measure(DataSize size, DataForm form) throws IOException, TranslateException {
        Path folder = Files.createTempDirectory("data-speed");
        try {
            form.write(folder, size);
            if (python != null) {
                load(size, form, folder);
            }
            try (DataForm.Opened files = form.open(folder, size)) {
                if (python != null) {
                    compare(size, form, files);
                }
                time(size, form, files);
            }
        } finally {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private void load(DataSize size, DataForm form, Path folder) {
        JsonObject load = Python.request("load");
        load.addProperty("folder", folder.toString());
        load.addProperty("form", form.toString());
        load.addProperty("side", size.side());
        load.addProperty("batch", BATCH);
        load.addProperty("buffer", DataForm.BUFFER);
        load.addProperty("entities", size.format().entities());
        load.addProperty("height", size.format().height());
        load.addProperty("width", size.format().width());
        load.addProperty("last", form == DataForm.TFRECORD && size == DataSize.SPRITES);
        python.ask(load);
    }

    /** The first batch in the order of the file. */
    private void compare(DataSize size, DataForm form, DataForm.Opened files)
            throws IOException, TranslateException {
        Path file = Files.createTempFile("batch", ".npz");
        JsonObject request = Python.request("batch");
        request.addProperty("file", file.toString());
        python.ask(request);
        try (NDManager own = manager.newSubManager();
                StateDict theirs = StateDict.read(file)) {
            Batch batch = files.dataset(BATCH, false, 1).getData(own).iterator().next();
            NDArray images = batch.getData().head();
            NDArray masks = batch.getLabels().get(1);
            double image = difference(images, theirs.get("images"));
            double mask = difference(masks, theirs.get("masks"));
            System.out.printf(
                    "%s %s: images differ by %.1e, masks by %.1e%n", size, form, image, mask);
            boolean resized = size.side() != size.format().height();
            if (!(image <= (resized ? ROUNDING : 1e-6) && mask == 0)) {
                throw new IllegalStateException("the batches do not agree");
            }
            batch.close();
        } finally {
            Files.delete(file);
        }
    }

    private static double difference(NDArray ours, NDArray theirs) {
        return ours.toType(DataType.FLOAT64, true)
                .sub(theirs.toType(DataType.FLOAT64, true))
                .abs()
                .max()
                .getDouble();
    }

    private void time(DataSize size, DataForm form, DataForm.Opened files)
            throws IOException, TranslateException {
        List<ExecutorService> pools = new ArrayList<>();
        List<Way> ways = new ArrayList<>();
        List<String> who = arguments.list("who", "library,torch");
        for (String threads : arguments.list("threads", "0,1,2")) {
            int workers = Integer.parseInt(threads);
            ExecutorService pool = workers == 0 ? null : Executors.newFixedThreadPool(workers);
            if (pool != null) {
                pools.add(pool);
            }
            if (who.contains("library")) {
                int atOnce = arguments.number("interleave", DataForm.PARTS);
                Dataset data = files.dataset(BATCH, true, atOnce);
                ways.add(new Way("library " + workers, () -> epoch(data, pool, size)));
            }
            if (python != null && who.contains("torch")) {
                ways.add(new Way("torch " + workers, () -> theirs(workers, size)));
            }
        }
        List<Double> first = new ArrayList<>();
        for (Way way : ways) {
            first.add(way.epoch.milliseconds());
        }
        // Java compiles in these.
        long begin = System.nanoTime();
        while ((System.nanoTime() - begin) / 1e9 < arguments.number("warmups", 20)) {
            for (Way way : ways) {
                way.epoch.milliseconds();
            }
        }
        List<List<Double>> times = new ArrayList<>();
        ways.forEach(way -> times.add(new ArrayList<>()));
        for (int round = 0; round < arguments.number("rounds", 7); round++) {
            for (int i = 0; i < ways.size(); i++) {
                times.get(i).add(ways.get(i).epoch.milliseconds());
            }
        }
        pools.forEach(ExecutorService::shutdown);
        for (int i = 0; i < ways.size(); i++) {
            List<Double> ms = times.get(i);
            Collections.sort(ms);
            int n = ms.size();
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %s | %s | first %.0f | %.0f (%.0f to %.0f) pictures/s |%n",
                    size,
                    form,
                    ways.get(i).name,
                    rate(size, first.get(i)),
                    rate(size, ms.get(n / 2)),
                    rate(size, ms.get(3 * n / 4)),
                    rate(size, ms.get(n / 4)));
        }
    }

    private static double rate(DataSize size, double milliseconds) {
        return size.count() * 1e3 / milliseconds;
    }

    private double epoch(Dataset data, @Nullable ExecutorService pool, DataSize size)
            throws IOException, TranslateException {
        long start = System.nanoTime();
        long pictures = 0;
        try (NDManager own = manager.newSubManager()) {
            for (Batch batch : data.getData(own, pool)) {
                pictures += batch.getData().head().getShape().get(0);
                batch.close();
            }
        }
        if (pictures != size.count()) {
            throw new IllegalStateException(pictures + " pictures");
        }
        return (System.nanoTime() - start) / 1e6;
    }

    private double theirs(int workers, DataSize size) {
        JsonObject request = Python.request("epoch");
        request.addProperty("workers", workers);
        JsonObject answer = python.ask(request);
        if (answer.get("pictures").getAsInt() != size.count()) {
            throw new IllegalStateException(answer.toString());
        }
        return answer.get("ms").getAsDouble();
    }
}
