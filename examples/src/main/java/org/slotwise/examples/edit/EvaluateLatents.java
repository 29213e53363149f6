package org.slotwise.examples.edit;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slotwise.examples.edit.EditedScene.Change;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "evaluate" of {@link EditLatents}. */
@Command(
        name = "evaluate",
        description = {
            "Tells what it costs to describe objects by codes: how well objects are told apart"
                    + " (FG-ARI), with the background (ARI), and the error (MSE), with slots as they"
                    + " were and with codes. Then for each latent how many codes it uses (perplexity),"
                    + " and what changes when it alone gets another code, that of the same slot in the"
                    + " next scene: the mean change of a pixel where the slot is seen and elsewhere,"
                    + " the slot's colour, and the share of its shape that is another.",
            ""
        },
        sortOptions = false)
final class EvaluateLatents implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private LatentOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        try (NDManager manager = NDManager.newBaseManager()) {
            DiscreteModel model = DiscreteModel.load(manager, options.model());
            report(spec.commandLine().getOut(), model, options.dataSeed(), scenes);
        }
        return ExitCode.OK;
    }

    private static void report(PrintWriter out, DiscreteModel model, long seed, int scenes)
            throws IOException, TranslateException {
        DiscreteScores scores = DiscreteScores.of(model, seed, scenes);
        out.printf("%d scenes of seed %d%n", scenes, seed);
        out.printf("slots as they were   %s%n", scores.continuous());
        out.printf("codes                %s%n", scores.discrete());
        out.flush();
        LatentEffects effects = LatentEffects.of(model, seed, scenes);
        LatentMeanings meanings = LatentMeanings.of(model, seed, scenes);
        out.printf(
                "%-7s %11s %12s %11s %7s %8s %8s %8s %8s%n",
                "latent",
                "perplexity",
                "says colour",
                "says shape",
                "edits",
                "inside",
                "outside",
                "colour",
                "shape");
        for (int latent = 0; latent < model.quantizer().latents(); latent++) {
            out.printf(
                    Locale.ROOT,
                    "%-7d %11.1f %12.3f %11.3f %7d %8.4f %8.4f %8.3f %8.3f%n",
                    latent,
                    scores.usage().perplexity(latent),
                    meanings.colour(latent),
                    meanings.shape(latent),
                    effects.changes().get(latent).size(),
                    effects.mean(latent, Change::inside),
                    effects.mean(latent, Change::outside),
                    effects.mean(latent, Change::colour),
                    effects.mean(latent, Change::shape));
        }
        out.flush();
    }
}
