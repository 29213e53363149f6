package org.slotwise.examples.diffusion;

import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Draws pictures of their objects out of noise, and new ones of objects of several pictures. */
@Command(
        name = "DiffuseSlots",
        header = {
            "Draws pictures of their objects out of noise, and new ones of objects of several"
                    + " pictures.",
            ""
        },
        description = {
            "Trains a small latent slot diffusion, evaluates it, shows what its slots attend to and"
                    + " what is drawn of them, and composes pictures of slots.",
            ""
        },
        subcommands = {
            TrainDiffusion.class,
            EvaluateDiffusion.class,
            ShowDiffusion.class,
            ComposeDiffusion.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class DiffuseSlots implements Runnable {

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args a command and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new DiffuseSlots(), args);
    }

    @Override
    public void run() {
        throw Program.commandMissing(spec);
    }
}
