package org.slotwise.examples.diffusion;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingOptions;
import org.slotwise.examples.shared.WrittenFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link DiffuseSlots}. */
@Command(
        name = "train",
        description = {
            "Trains a model on pictures alone, generated ones or your own: first encoder and slots,"
                    + " with a decoder that mixes pictures of slots; then an autoencoder; then the"
                    + " denoiser, told slots that no longer change. Prints the loss, and on pictures"
                    + " held out how well masks tell objects apart (FG-ARI), with the background"
                    + " (ARI), errors of pictures made again, and the denoiser's loss with a"
                    + " picture's own slots and with another picture's.",
            ""
        },
        sortOptions = false)
final class TrainDiffusion implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;

    @Mixin private DiffusionSizes sizes;

    @Option(
            names = "--slot-steps",
            defaultValue = "7000",
            paramLabel = "NUMBER",
            description = "How many steps encoder and slots take. Default: ${DEFAULT-VALUE}.")
    private int slotSteps;

    @Option(
            names = "--autoencoder-steps",
            defaultValue = "3000",
            paramLabel = "NUMBER",
            description = "How many steps the autoencoder takes. Default: ${DEFAULT-VALUE}.")
    private int codeSteps;

    @Option(
            names = "--steps",
            defaultValue = "10000",
            paramLabel = "NUMBER",
            description = "How many steps the denoiser takes. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--groups",
            defaultValue = "1",
            paramLabel = "NUMBER",
            description =
                    "In how many groups the pictures of a step of the denoiser go back, one after"
                            + " the other, 1 to the pictures of a step, 32: more groups need less"
                            + " memory and more time. The model differs a little. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int groups;

    @Option(
            names = "--report",
            defaultValue = "500",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--cache",
            paramLabel = "FOLDER",
            description =
                    "Where slots and latents of all pictures are kept on disk, 3.6 kB for a picture of"
                            + " the usual sizes; a training of the same pictures and weights finds"
                            + " them there again. Default: a folder for temporary files, taken away"
                            + " at the end.")
    private @Nullable Path cache;

    @Option(
            names = "--output",
            defaultValue = DiffusionModel.FILE,
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
        DiffusionPictures pictures = sizes.pictures(options.seed());
        DiffusionRun run =
                new DiffusionRun(
                        pictures.name(),
                        sizes.configuration(),
                        slotSteps,
                        sizes.learnsAutoencoder() ? codeSteps : 0,
                        steps,
                        options.seed());
        try (DiffusionTraining training = new DiffusionTraining(run, pictures, groups, cache)) {
            options.run(
                    spec,
                    output,
                    training::resume,
                    out -> {
                        training.train(
                                out,
                                new DiffusionTraining.Traces(
                                        options.checkpoint(),
                                        options.checkpointEvery(),
                                        options.history(),
                                        report));
                        training.write(output);
                    });
        }
        return ExitCode.OK;
    }

    private void check() throws IOException {
        sizes.check(spec);
        Program.requireRange(spec, "--slot-steps", slotSteps, 1, MAX_STEPS);
        Program.requireRange(spec, "--autoencoder-steps", codeSteps, 1, MAX_STEPS);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        Program.requireRange(spec, "--groups", groups, 1, DiffusionRecipe.USUAL.batch());
        Program.requireRange(spec, "--report", report, 1, MAX_STEPS);
        Program.require(
                spec,
                sizes.learnsAutoencoder() || !Program.isGiven(spec, "--autoencoder-steps"),
                "--autoencoder-steps needs --latents AUTOENCODER",
                "PIXELS");
        Program.requireSafetensors(spec, "--output", output);
        sizes.refuseAmongPictures(spec, "--output", output);
        sizes.refuseAmongPictures(spec, "--checkpoint", options.checkpoint());
        sizes.refuseAmongPictures(spec, "--history", options.history());
        sizes.refuseAmongPictures(spec, "--log", options.log());
        if (cache != null) {
            OutputFolder.requireName(spec, "--cache", cache);
            sizes.refuseAmongPictures(spec, "--cache", cache);
        }
        options.check(spec, new WrittenFiles().and("--output", output).andFolder("--cache", cache));
    }
}
