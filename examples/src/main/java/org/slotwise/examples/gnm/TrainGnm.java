package org.slotwise.examples.gnm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingOptions;
import org.slotwise.examples.shared.WrittenFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link ExplainScenes}. */
@Command(
        name = "train",
        description = {
            "Trains a small model on pictures alone, generated ones or your own. Prints the loss, and"
                    + " on pictures held out the error of the pictures drawn again, in which share of"
                    + " them as many objects were found as there are, and how many were found.",
            ""
        },
        sortOptions = false)
final class TrainGnm implements Callable<Integer> {

    private static final int MAX_STEPS = 5_000_000;
    private static final int MAX_SCENES = 1_000_000;

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "A folder of pictures of your own, cut to squares and scaled. Default: generated"
                            + " scenes.")
    private @Nullable Path images;

    @Option(
            names = "--size",
            defaultValue = "32",
            paramLabel = "PIXELS",
            description =
                    "Height and width of pictures of your own: 32, 64 or 128. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int size;

    @Option(
            names = "--scenes",
            defaultValue = "8000",
            paramLabel = "NUMBER",
            description = "How many scenes are generated. Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--steps",
            defaultValue = "12000",
            paramLabel = "NUMBER",
            description = "How many steps are taken. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--recipe",
            defaultValue = "likely",
            paramLabel = "NAME",
            description =
                    "\"likely\": objects are likely at first, for thousands of steps; \"published\":"
                            + " for hundreds of thousands. Default: ${DEFAULT-VALUE}.")
    private String recipe;

    @Option(
            names = "--report",
            defaultValue = "500",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--output",
            defaultValue = GnmModel.FILE,
            paramLabel = "FILE",
            description = "Where the model goes. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private TrainingOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        check();
        options.startEngine();
        LearntScenes pictures = LearntScenes.of(images, size, scenes, options.seed());
        GnmRun run = new GnmRun(pictures.name(), size, recipe(), steps, options.seed());
        try (GnmTraining training = new GnmTraining(run, pictures)) {
            options.run(
                    spec,
                    output,
                    training::resume,
                    out -> {
                        training.train(
                                out,
                                new GnmTraining.Traces(
                                        options.checkpoint(),
                                        options.checkpointEvery(),
                                        options.history(),
                                        report));
                        GnmModel.write(training.gnm(), output);
                    });
        }
        return ExitCode.OK;
    }

    private GnmRecipe recipe() {
        for (GnmRecipe known : GnmRecipe.values()) {
            if (known.toString().equals(recipe)) {
                return known;
            }
        }
        throw new IllegalStateException(recipe);
    }

    private void check() throws IOException {
        Program.require(
                spec,
                size == 32 || size == 64 || size == 128,
                "--size must be 32, 64 or 128",
                Integer.toString(size));
        Program.require(
                spec,
                "likely".equals(recipe) || "published".equals(recipe),
                "--recipe must be likely or published",
                recipe);
        if (images == null) {
            Program.require(
                    spec,
                    size == CountedScenes.SIDE,
                    "--size is for pictures of your own; generated scenes are "
                            + (CountedScenes.SIDE + " x " + CountedScenes.SIDE),
                    Integer.toString(size));
        }
        Program.refuseBeside(spec, "--images", "--scenes");
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        Program.requireRange(spec, "--report", report, 1, MAX_STEPS);
        Program.requireSafetensors(spec, "--output", output);
        options.check(spec, new WrittenFiles().and("--output", output));
    }
}
