package org.slotwise.examples.pictures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.Preset;
import org.slotwise.model.Presets;
import org.slotwise.model.TrainingRecipe;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Which model is trained, and how. */
final class RecipeOptions {

    private static final int MAX_STEPS = 100_000_000;
    private static final int MAX_BATCH = 4096;
    private static final int MAX_SLOTS = 100;
    private static final int MIN_SIZE = 16;
    private static final int MAX_SIZE = 1024;

    private static final String SMALL = "pictures";
    private static final String LARGE = "pictures-128";
    private static final String NETWORK = "dinosaur";

    /** From here on every second row and column is enough. */
    private static final int LARGE_SIZE = 96;

    @Option(
            names = "--preset",
            paramLabel = "NAME",
            description =
                    "Which model: ${COMPLETION-CANDIDATES}. Default: "
                            + SMALL
                            + ", from --size 96 on "
                            + LARGE
                            + ", with --backbone "
                            + NETWORK
                            + ".",
            completionCandidates = PresetNames.class)
    private @Nullable String preset;

    @Option(
            names = "--slots",
            paramLabel = "NUMBER",
            description =
                    "How many slots, 1 to "
                            + MAX_SLOTS
                            + ": the background's, and one for each object there may be."
                            + " Default: the preset's; 7 of pictures.")
    private @Nullable Integer slots;

    @Option(
            names = "--size",
            paramLabel = "PIXELS",
            description =
                    "The height and width that pictures are brought to, "
                            + MIN_SIZE
                            + " to "
                            + MAX_SIZE
                            + ". Default: the preset's; 64 of pictures.")
    private @Nullable Integer size;

    @Option(
            names = "--fit",
            paramLabel = "NAME",
            description = {
                "How pictures that are no squares are brought to one, by all that is done with the"
                        + " model:",
                "squeeze: all of them, so that circles become ellipses",
                "crop: the largest square in their middle; what lies beyond is not looked at.",
                "Default: squeeze."
            })
    private @Nullable PictureFit fit;

    @Option(
            names = "--backbone",
            paramLabel = "FILE",
            description =
                    "A network that makes features of pictures, for presets that need one:"
                            + " TorchScript, or ONNX if the name ends in .onnx.")
    private @Nullable Path backbone;

    @Option(
            names = "--steps",
            paramLabel = "NUMBER",
            description = "How many steps. Default: the preset's; 3000 of pictures.")
    private @Nullable Integer steps;

    @Option(
            names = "--batch",
            paramLabel = "NUMBER",
            description = "How many pictures a step sees. Default: the preset's; 8 of pictures.")
    private @Nullable Integer batch;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "The highest one. Default: the preset's; 1e-3 of pictures.")
    private @Nullable Double learningRate;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights and all random choices start from. Default: ${DEFAULT-VALUE}.")
    private long seed;

    /** The names of presets, for the help. */
    static final class PresetNames implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return Presets.names().iterator();
        }
    }

    void check(CommandSpec spec) throws IOException {
        if (preset != null) {
            Program.require(
                    spec,
                    Presets.names().contains(preset),
                    "--preset must be one of " + Presets.names(),
                    preset);
        }
        range(spec, "--slots", slots, 1, MAX_SLOTS);
        range(spec, "--size", size, MIN_SIZE, MAX_SIZE);
        range(spec, "--steps", steps, 1, MAX_STEPS);
        range(spec, "--batch", batch, 1, MAX_BATCH);
        if (learningRate != null) {
            Program.require(
                    spec,
                    learningRate > 0 && learningRate <= 1,
                    "--learning-rate must be above 0 and at most 1",
                    learningRate);
        }
        if (backbone != null && !Files.isRegularFile(backbone)) {
            throw new IOException(
                    backbone
                            + (Files.exists(backbone)
                                    ? " is a folder, not a network"
                                    : " does not exist"));
        }
    }

    private static void range(
            CommandSpec spec, String option, @Nullable Integer value, int least, int most) {
        if (value != null) {
            Program.requireRange(spec, option, value, least, most);
        }
    }

    long seed() {
        return seed;
    }

    /** The preset with what was asked for instead of its own. */
    Preset preset(CommandSpec spec) {
        Preset made = Presets.named(name());
        boolean wants = made.name().startsWith(NETWORK);
        if (wants && backbone == null) {
            Program.require(spec, false, "--preset " + made.name() + " needs --backbone", "none");
        }
        if (backbone != null) {
            Program.require(
                    spec,
                    wants,
                    "--backbone goes with presets that take a network, such as " + NETWORK,
                    "--preset " + made.name());
            made = made.withBackbone(backbone);
        }
        if (slots != null) {
            made = made.withSlots(slots);
        }
        if (fit != null) {
            made = made.withFit(fit);
        }
        return size == null ? made : made.withImageSize(size, size);
    }

    private String name() {
        if (preset != null) {
            return preset;
        }
        if (backbone != null) {
            return NETWORK;
        }
        return size != null && size >= LARGE_SIZE ? LARGE : SMALL;
    }

    /** A preset's recipe with what was asked for instead of its own. */
    TrainingRecipe recipe(Preset made) {
        TrainingRecipe recipe = made.recipe().withSeed(seed);
        if (steps != null) {
            recipe = recipe.withSteps(steps);
        }
        if (batch != null) {
            recipe = recipe.withBatchSize(batch);
        }
        return learningRate == null ? recipe : recipe.withLearningRate(learningRate);
    }
}
