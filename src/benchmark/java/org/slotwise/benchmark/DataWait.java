package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.data.generated.TexturedScenes;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.ObjectDiscoveryTraining;
import org.slotwise.model.Preset;
import org.slotwise.model.Presets;
import org.slotwise.model.TrainingRecipe;

/**
 * How long the steps of a training wait for their pictures: steps with pictures that are read or
 * drawn, beside the same with those of memory, in turns. docs/performance.md tells the arguments.
 */
final class DataWait {

    private static final int STEPS = 12;

    /** What a preset learns from. */
    private record Lesson(String preset, String from) {
        @Override
        public String toString() {
            return preset + "-" + from;
        }
    }

    private static final List<Lesson> ALL =
            List.of(
                    new Lesson("pictures", "png"),
                    new Lesson("pictures-128", "png"),
                    new Lesson("tetrominoes", "generated"),
                    new Lesson("multi-dsprites", "generated"),
                    new Lesson("pictures-textured", "generated"),
                    new Lesson("plain-clevr", "generated"));

    /** Tells how long the scenes take whoever makes them. */
    private record Watched(Scenes scenes, AtomicLong nanoseconds) implements Scenes {
        @Override
        public long size() {
            return scenes.size();
        }

        @Override
        public Scene get(long index) throws IOException {
            long start = System.nanoTime();
            Scene scene = scenes.get(index);
            nanoseconds.addAndGet(System.nanoTime() - start);
            return scene;
        }
    }

    private DataWait() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        for (String threads : arguments.list("threads", "1")) {
            EngineThreads.set(Integer.parseInt(threads));
            for (Lesson lesson : ALL) {
                if (arguments.list("modules", lesson.toString()).contains(lesson.toString())) {
                    measure(lesson, threads, arguments.number("rounds", 5));
                }
            }
        }
    }

    private static void measure(Lesson lesson, String threads, int rounds) throws IOException {
        Path folder = Files.createTempDirectory("data-wait");
        try (ObjectDiscoveryModel model =
                ObjectDiscoveryModel.create(Presets.named(lesson.preset).configuration(), 0)) {
            Preset preset = Presets.named(lesson.preset);
            TrainingRecipe recipe = preset.recipe().withSteps(STEPS);
            int count = STEPS * recipe.batchSize();
            Watched made =
                    new Watched(
                            lesson.from.equals("png")
                                    ? files(lesson.preset, folder)
                                    : generated(lesson.preset, count),
                            new AtomicLong());
            List<Scene> scenes = new ArrayList<>();
            for (int i = 0; i < made.size(); i++) {
                scenes.add(made.get(i));
            }
            Scenes kept = Scenes.of(scenes);
            List<Double> waiting = new ArrayList<>();
            List<Double> steps = new ArrayList<>();
            List<Double> making = new ArrayList<>();
            for (int round = -1; round < rounds; round++) {
                made.nanoseconds.set(0);
                double with = step(model, made, recipe);
                double of = made.nanoseconds.get() / 1e6 / STEPS;
                double without = step(model, kept, recipe);
                if (round >= 0) {
                    steps.add(without);
                    making.add(of);
                    waiting.add(with - without);
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "| %s of %d | %s | %s | step %.1f ms | its pictures %.2f ms | waits %.2f ms, %.1f %% |%n",
                    lesson.preset,
                    recipe.batchSize(),
                    lesson.from,
                    threads,
                    median(steps),
                    median(making),
                    median(waiting),
                    100 * median(waiting) / median(steps));
        } finally {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    /** Milliseconds. */
    private static double step(ObjectDiscoveryModel model, Scenes scenes, TrainingRecipe recipe)
            throws IOException {
        long start = System.nanoTime();
        ObjectDiscoveryTraining.builder()
                .setModel(model)
                .setScenes(scenes)
                .setRecipe(recipe)
                .optReports(STEPS, progress -> {})
                .build()
                .train();
        return (System.nanoTime() - start) / 1e6 / STEPS;
    }

    private static Scenes files(String preset, Path folder) throws IOException {
        DataSize size = preset.equals("pictures") ? DataSize.SPRITES : DataSize.CLEVR;
        DataForm.PNG.write(folder, size);
        return (Scenes) DataForm.PNG.open(folder, size).source();
    }

    private static Scenes generated(String preset, int count) {
        return switch (preset) {
            case "tetrominoes" -> Tetrominoes.builder().setSize(count).build();
            case "multi-dsprites" -> MultiDSprites.builder().setSize(count).build();
            case "pictures-textured" -> TexturedScenes.builder().setSize(count).build();
            default -> ClevrLikeScenes.builder().setSize(count).build();
        };
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
