package org.slotwise.examples.gnm;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmDraws;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "generate" of {@link ExplainScenes}. */
@Command(
        name = "generate",
        description = {
            "Makes new scenes: the scene latent is drawn, and of it cells and background are taken,"
                    + " the most probable ones or draws.",
            ""
        },
        sortOptions = false)
final class GenerateGnm implements Callable<Integer> {

    private static final int MAX_SCENES = 1000;
    private static final int COLUMNS = 8;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A model that \"train\" wrote. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--scenes",
            defaultValue = "24",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--temperature",
            defaultValue = "0.1",
            paramLabel = "NUMBER",
            description =
                    "At which presence is drawn; the smaller, the fewer half-present objects."
                            + " Default: ${DEFAULT-VALUE}.")
    private double temperature;

    @Option(
            names = "--mode",
            description = "Takes the most probable cells and background instead of drawing them.")
    private boolean mode;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What all is drawn by. Default: ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--output",
            defaultValue = "gnm-made.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.require(
                spec,
                temperature >= 0.01 && temperature <= 100,
                "--temperature must be from 0.01 to 100",
                temperature);
        Program.refuseBeside(spec, "--mode", "--temperature");
        Program.requirePng(spec, output);
        OutputFile file = new OutputFile(output);
        file.check(model);
        try (NDManager manager = NDManager.newBaseManager()) {
            Gnm gnm = GnmModel.load(manager, model);
            Engine.getInstance().setRandomSeed(seed);
            GnmFigure figure = new GnmFigure(gnm);
            GnmDraws draws = mode ? GnmDraws.mode() : GnmDraws.at(temperature);
            file.write(figure.row(figure.made(manager, scenes, draws), Math.min(COLUMNS, scenes)));
        }
        spec.commandLine().getOut().printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
