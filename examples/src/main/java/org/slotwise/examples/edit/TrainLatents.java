package org.slotwise.examples.edit;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.slotwise.examples.discover.DiscoveryModel;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link EditLatents}. */
@Command(
        name = "train",
        description = {
            "Teaches a model that finds objects already, that of \"discover\" for tetrominoes,"
                    + " to describe each by a few codes: trains what makes codes of slots, and what"
                    + " makes pictures of codes. Prints, on scenes held out and with the most probable"
                    + " codes, how well objects are told apart (FG-ARI), with the background (ARI), and"
                    + " the error (MSE).",
            ""
        },
        sortOptions = false)
final class TrainLatents implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;
    private static final int MAX_CODES = 1024;
    private static final int MAX_BETA = 1000;

    @Option(
            names = "--steps",
            defaultValue = "12000",
            paramLabel = "NUMBER",
            description = "How many steps of 32 scenes. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--report",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--learning-rate",
            defaultValue = "5e-3",
            paramLabel = "RATE",
            description = "The highest one. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--latents",
            defaultValue = "4",
            paramLabel = "NUMBER",
            description =
                    "How many latents a slot has: a divisor of 64. Default: ${DEFAULT-VALUE}.")
    private int latents;

    @Option(
            names = "--codes",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description = "How many codes a latent has, 2 to 1024. Default: ${DEFAULT-VALUE}.")
    private int codes;

    @Option(
            names = "--beta",
            defaultValue = "1e-3",
            paramLabel = "WEIGHT",
            description =
                    "How much the uniform prior of codes counts beside the error. Default:"
                            + " ${DEFAULT-VALUE}.")
    private double beta;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights, scenes and all random choices start from. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--output",
            defaultValue = DiscreteModel.FILE,
            paramLabel = "FILE",
            description = "Where the model goes. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        check();
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager()) {
            new DiscreteTraining(steps, report, learningRate, latents, codes, beta, seed)
                    .run(manager, out, output);
            out.printf("Model: %s%n", output);
        }
        return ExitCode.OK;
    }

    private void check() throws IOException {
        require(steps >= 1 && steps <= MAX_STEPS, "--steps must be 1 to " + MAX_STEPS, steps);
        require(report >= 1, "--report must be at least 1", report);
        require(
                learningRate > 0 && learningRate <= 1,
                "--learning-rate must be above 0 and at most 1",
                learningRate);
        require(
                latents >= 1 && DiscoveryModel.SLOT_DIM % latents == 0,
                "--latents must be a divisor of " + DiscoveryModel.SLOT_DIM,
                latents);
        require(codes >= 2 && codes <= MAX_CODES, "--codes must be 2 to " + MAX_CODES, codes);
        require(beta >= 0 && beta <= MAX_BETA, "--beta must be 0 to " + MAX_BETA, beta);
        Program.requireSafetensors(spec, "--output", output);
        new OutputFile(output).check(null);
    }

    private void require(boolean condition, String expected, Object got) {
        Program.require(spec, condition, expected, got);
    }
}
