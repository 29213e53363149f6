package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.slotwise.data.SceneFileException;

/**
 * What lies in a folder, as far as names tell.
 *
 * @param folder the folder
 * @param pictures whether there are pictures
 * @param clevrTex whether there are pictures of ClevrTex
 * @param files files of which each holds many scenes, by their kinds
 * @param maskEndings what the names of masks that lie beside their pictures end with
 * @param maskFolders folders of masks beside folders of images
 */
record SceneFolder(
        Path folder,
        boolean pictures,
        boolean clevrTex,
        Map<SceneFiles.Kind, List<Path>> files,
        Set<String> maskEndings,
        Set<Path> maskFolders) {

    private static final Map<SceneFiles.Kind, Pattern> NAMES =
            Map.of(
                    SceneFiles.Kind.WEBDATASET, Pattern.compile(".*\\.(tar|tar\\.gz|tgz)"),
                    SceneFiles.Kind.PARQUET, Pattern.compile(".*\\.parquet"),
                    SceneFiles.Kind.HDF5, Pattern.compile(".*\\.(h5|hdf5)"),
                    SceneFiles.Kind.TFRECORD, Pattern.compile(".*\\.tfrecords?(\\.gz|-\\d.*)?"));

    /** What the parts of a data set have in common: their names up to the last number. */
    private static final Pattern NUMBER = Pattern.compile("[-_.]?\\d+(-of-\\d+)?\\D*$");

    /** Goes through a folder. */
    static SceneFolder of(Path folder) throws IOException {
        boolean[] found = new boolean[2];
        Map<SceneFiles.Kind, List<Path>> files = new EnumMap<>(SceneFiles.Kind.class);
        List<String> names = new ArrayList<>();
        Set<Path> maskFolders = new TreeSet<>();
        FolderWalk.over(
                folder,
                directory -> {
                    Path last = directory.getFileName();
                    boolean masks =
                            last != null
                                    && last.toString().equals("masks")
                                    && Files.isDirectory(directory.resolveSibling("images"));
                    if (masks) {
                        maskFolders.add(directory);
                    }
                    return masks;
                },
                (file, leadsNowhere) -> {
                    String name = FolderListing.name(file).toLowerCase(Locale.ROOT);
                    NAMES.forEach(
                            (kind, pattern) -> {
                                if (pattern.matcher(name).matches()) {
                                    files.computeIfAbsent(kind, k -> new ArrayList<>()).add(file);
                                }
                            });
                    if (PictureKind.isNamed(name)) {
                        found[0] = true;
                        found[1] |= ClevrTexFiles.isPicture(file);
                        names.add(FolderListing.name(file));
                    }
                });
        Set<String> endings = maskEndings(names);
        files.values().forEach(list -> list.sort(FolderListing.byName(folder)));
        return new SceneFolder(folder, found[0], found[1], files, endings, maskFolders);
    }

    /** What names of masks end with that lie beside pictures of which they have the names. */
    private static Set<String> maskEndings(List<String> names) {
        Set<String> stems = new HashSet<>();
        names.forEach(name -> stems.add(MaskNames.stem(name)));
        Set<String> endings = new TreeSet<>();
        for (String ending : MaskNames.ENDINGS) {
            for (String name : names) {
                int length = name.length() - ending.length();
                if (length > 0
                        && name.toLowerCase(Locale.ROOT).endsWith(ending)
                        && stems.contains(name.substring(0, length))) {
                    endings.add(ending);
                    break;
                }
            }
        }
        return endings;
    }

    /** The only kind of files there is, and all of them. */
    Map.Entry<SceneFiles.Kind, List<Path>> only() throws SceneFileException {
        if (files.size() != 1 || pictures) {
            throw new SceneFileException(
                    folder,
                    "several kinds of data in one folder: "
                            + (pictures ? "pictures, " : "")
                            + String.join(", ", files.keySet().stream().map(Enum::name).toList())
                            + "; give the path of one",
                    null);
        }
        Map.Entry<SceneFiles.Kind, List<Path>> only = files.entrySet().iterator().next();
        Set<String> sets = new TreeSet<>();
        for (Path file : only.getValue()) {
            String name = FolderListing.name(folder.relativize(file));
            sets.add(NUMBER.matcher(name).replaceFirst(""));
        }
        if (only.getValue().size() > 1 && sets.size() > 1) {
            throw new SceneFileException(
                    folder, "parts of several data sets, " + sets + "; give the path of one", null);
        }
        return only;
    }
}
