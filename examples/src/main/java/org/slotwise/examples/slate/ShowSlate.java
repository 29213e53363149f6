package org.slotwise.examples.slate;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.slate.Slate;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "show" of {@link ComposePictures}. */
@Command(
        name = "show",
        description = {
            "Draws a row for each picture: the picture, made again by the auto-encoder, made of its"
                    + " slots token by token, its segmentation, and what each slot attends to.",
            ""
        },
        sortOptions = false)
final class ShowSlate implements Callable<Integer> {

    private static final int MAX_SCENES = 64;

    @Option(
            names = "--scenes",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description = "How many pictures, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private SlateOptions options;

    @Option(
            names = "--output",
            defaultValue = "slate.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requirePng(spec, output);
        OutputFile file = new OutputFile(output);
        file.check(options.model());
        options.refuseAmongPictures(spec, "--output", output);
        try (NDManager manager = NDManager.newBaseManager()) {
            Slate slate = options.load(manager);
            Scenes pictures = options.scenes(spec, slate, scenes, 1);
            file.write(
                    new SlateFigure(slate)
                            .sheet(
                                    TrainingPictures.images(
                                            manager,
                                            pictures,
                                            LongStream.range(0, pictures.size()).toArray())));
        }
        options.tellOfOtherPictures(spec.commandLine().getOut());
        spec.commandLine().getOut().printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
