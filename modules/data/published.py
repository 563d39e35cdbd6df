"""The sources of the published data sets, and the SHA-256 of their files."""

from typing import Dict, NamedTuple, Optional, Tuple


class DataSet(NamedTuple):
    """A published data set: the address of its files, the file of each split, the SHA-256 of each
    file, the files that must lie beside those of the splits, and optionally the zip archive with the
    files, in a folder named like the archive."""

    url: str
    splits: Dict[str, str]
    sha256: Dict[str, str]
    companions: Tuple[str, ...] = ()
    archive: Optional[str] = None

    @property
    def files(self) -> Dict[str, Tuple[str, ...]]:
        """The files of each split; `all` are those of all splits of a table, for splits of one's
        own, `development` those of train and validation."""
        files: Dict[str, Tuple[str, ...]] = {s: (file,) for s, file in self.splits.items()}
        if all(file.endswith(".arff") for file in self.splits.values()):
            ordered = [split for split in ("train", "validation", "test") if split in self.splits]
            files.setdefault("all", tuple(self.splits[split] for split in ordered))
            if "validation" in ordered:
                files.setdefault("development", tuple(self.splits[s] for s in ordered[:2]))
        return files


DATA_SETS: Dict[str, DataSet] = {
    "bibtex": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/bibtex/",
        {"test": "bibtex-test.arff", "train": "bibtex-train.arff"},
        {
            "bibtex-test.arff": "9b03329cde64d3f994bdf7fbbac3f3b10fe185c311cb9ae725475f59c7f3f922",
            "bibtex-train.arff": "8dcc9de6e0b2cebaec8c1f4fac78431adeeb73cfd3ab879b530a66d366e59174",
            "bibtex.xml": "08fe20013c1e75dcf1888c185f5187c95e76495b8518ce289b4d3afce38d1232",
        },
        ("bibtex.xml",),
    ),
    "delicious": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/delicious/",
        {"test": "delicious-test.arff", "train": "delicious-train.arff"},
        {
            "delicious-test.arff": "2dfb01723a819914b0ca83361177ed413ce3f2169851d9f228d4692915d63944",
            "delicious-train.arff": "030186cdb542ebdd32052fcdbb1ebe30115b3a22518c1b4b198c45eb827aebe1",
            "delicious.xml": "4e0c0f93c7d86a39b9fca4aaefaa00e9428f2c80277732dfbf03ca48e2c14da2",
        },
        ("delicious.xml",),
    ),
    "scene": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/scene/",
        {"test": "scene-test.arff", "train": "scene-train.arff"},
        {
            "scene-test.arff": "ea38d20296b3ff7e220f477a3b802a9bcb2d768881fe6ee163efbc97ea527a42",
            "scene-train.arff": "b53ba93bdf412de922e3960389bcee24744fa3e872ce610511fc1d750888b64d",
            "scene.xml": "55d8b247b949ad5c52e5a73d8c6775ec6e5469ce9682465b45b333b68ee4bcc5",
        },
        ("scene.xml",),
    ),
    "yeast": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/yeast/",
        {"test": "yeast-test.arff", "train": "yeast-train.arff"},
        {
            "yeast-test.arff": "4aaac102bff9669a765bf0b378602e5cc8c3b181048282e2f003117b496d552a",
            "yeast-train.arff": "e759dc991ff54694a4ff9c4314f3be0d6fd2b1994a4b563f57e416394c6aebbd",
            "yeast.xml": "c3056cc26444b5158b1588d1b73bec9c45429e10f0957ad085903423cb81f247",
        },
        ("yeast.xml",),
    ),
    "genbase": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/genbase/",
        {"test": "genbase-test.arff", "train": "genbase-train.arff"},
        {
            "genbase-test.arff": "0e988520bedab39aa3f23f08f646c769bcdb6f9119ee298fd92b37127b226a36",
            "genbase-train.arff": "37670db2c2b308a1c163d05501819526f1d65d659638ddfb76812d4ce384b5c6",
            "genbase.xml": "198e8a1d7070e9603119e02e626cedc589db7577339b307b06f5192047b69eb9",
        },
        ("genbase.xml",),
    ),
    "tmc2007_500": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/tmc2007/",
        {"test": "tmc2007-500-test.arff", "train": "tmc2007-500-train.arff"},
        {
            "tmc2007-500-test.arff": "b24f9c3f1eba77c9da0bbaff093ba41d331b7351be0167a8e1e3852c62e25e38",
            "tmc2007-500-train.arff": "edfe7b7615c6f80e54c92a214437610d1ae36560c5cc6c4253b51c434d258273",
            "tmc2007-500.xml": "cb6a67c8ae72fd9b47d89f77aa5b7f6cafb4ba9c20b1124c65a95a3f2caec38d",
        },
        ("tmc2007-500.xml",),
    ),
    "cal500": DataSet(
        "https://raw.githubusercontent.com/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label/cal500/",
        {"all": "cal500.arff"},
        {
            "cal500.arff": "cfe6097ba5fd6e8584e54911ab9783dcab34e898446b7c9370c71d477eae56d3",
            "cal500.xml": "877e128531268d7661faa3e44f7bb43cbcda829c0895e49879168775b192728c",
        },
        ("cal500.xml",),
    ),
    "goemotions": DataSet(
        "https://raw.githubusercontent.com/monologg/GoEmotions-pytorch/b75f9d3a8b76bc1060687925b04ca98a1b8ea66b/data/original/",
        {
            "dev": "dev.tsv",
            "labels": "labels.txt",
            "test": "test.tsv",
            "train": "train.tsv",
        },
        {
            "dev.tsv": "575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62",
            "labels.txt": "45c3ef86782d2a4d7fedcd6d8c111aa0d0e94720689bd164fac94fefb4495a89",
            "test.tsv": "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4",
            "train.tsv": "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5",
        },
        ("labels.txt",),
    ),
    "weizmann_horses": DataSet(
        "https://raw.githubusercontent.com/iesl/seal-neurips-2022/989dc07509ce6b5705293f0784461ff9d5185c00/data/weizmann_horse_seg/",
        {
            "test": "weizmann_horse_test.npy",
            "train": "weizmann_horse_train.npy",
            "validation": "weizmann_horse_val.npy",
        },
        {
            "weizmann_horse_test.npy": "1093ca5b440273dcb46c3e17b7f0443f66bbd67160855e398f3e7932d8fc25df",
            "weizmann_horse_train.npy": "aab5b0f9cbe1a4ede9711ea645e99903136ab0006efcaf45917753c486bb3e5c",
            "weizmann_horse_val.npy": "9d9a2be4c9e49950e4f6e028fa041043ab40cf409c5c78a0a8a18b17de2b1214",
        },
    ),
    "twpos": DataSet(
        "https://raw.githubusercontent.com/brendano/ark-tweet-nlp/72755ccd1b29ba8e1dbbb49efe57ba9723c0013b/data/twpos-data-v0.3/",
        {
            "validation": "oct27.dev",
            "test": "oct27.test",
            "train": "oct27.train",
            "daily547": "daily547.conll",
        },
        {
            "daily547.conll": "581862c4a7a05b62cb5c4d44119f11fc1fe55489862c9470120628cca8e4b080",
            "oct27.dev": "046e9c57ed2549b4dec08a9a7bccf8ec7f742faaa7b55d840408f2dfd1356851",
            "oct27.test": "77f868fcd300d0acdd7bb8db28c961fcbe50d9cd0d48046e8fbec4b9f86bf814",
            "oct27.train": "e55a63da62838a28b308bd1be0b5c903ac242ef208dc59838f4b39aa33b11948",
        },
    ),
    "conll2000": DataSet(
        "https://raw.githubusercontent.com/nltk/nltk_data/5db857e6f7df11eabb5e5665836db9ec8df07e28/packages/corpora/",
        {"train": "train.txt", "test": "test.txt"},
        {
            "test.txt": "73b7b1e565fa75a1e22fe52ecdf41b6624d6f59dacb591d44252bf4d692b1628",
            "train.txt": "82033cd7a72b209923a98007793e8f9de3abc1c8b79d646c50648eb949b87cea",
        },
        archive="conll2000.zip",
    ),
    "ud_english_ewt": DataSet(
        "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/15d613d8447b3478787d4c278730a1e48a945efb/",
        {
            "validation": "en_ewt-ud-dev.conllu",
            "test": "en_ewt-ud-test.conllu",
            "train": "en_ewt-ud-train.conllu",
        },
        {
            "en_ewt-ud-dev.conllu": "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6",
            "en_ewt-ud-test.conllu": "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd",
            "en_ewt-ud-train.conllu": "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b",
        },
    ),
    "up_english_ewt": DataSet(
        "https://raw.githubusercontent.com/UniversalPropositions/UP-1.0/b955f2aa8295834fcd0256c131de641116a8443a/UP_English-EWT/",
        {"validation": "en_ewt-up-dev.conllu", "test": "en_ewt-up-test.conllu"},
        {
            "en_ewt-up-dev.conllu": "70588297850e6ce287d220dc1c24f4511268eb7c9000b9aa93ab9d2a56224c6a",
            "en_ewt-up-test.conllu": "f511b4b39cf9525945fbb89660757b401d339d2deee805a36c3b4fc9ea2cd8b7",
        },
    ),
    "spo_fun": DataSet(
        "https://raw.githubusercontent.com/EGiunchiglia/C-HMCNN/e887855ab4b3b8f22e4fafc80a0a33c1d1ac0041/HMC_data/datasets_FUN/spo_FUN/",
        {
            "train": "spo_FUN.train.arff",
            "validation": "spo_FUN.valid.arff",
            "test": "spo_FUN.test.arff",
        },
        {
            "spo_FUN.train.arff": "8049c3a620b8fcbbbe3f195ccca7dafb36372fce418d9bfe49d6ffadd4bcf6ca",
            "spo_FUN.valid.arff": "5ab7eaab567b80144299761abec833aa1a4a1115a347819362d06a149b43b0cf",
            "spo_FUN.test.arff": "18a9be63b28d636e767b5886121dee5ddc8ae5a61a05098408d1b8991419f284",
        },
    ),
    "cellcycle_fun": DataSet(
        "https://raw.githubusercontent.com/EGiunchiglia/C-HMCNN/e887855ab4b3b8f22e4fafc80a0a33c1d1ac0041/HMC_data/datasets_FUN/cellcycle_FUN/",
        {
            "train": "cellcycle_FUN.train.arff",
            "validation": "cellcycle_FUN.valid.arff",
            "test": "cellcycle_FUN.test.arff",
        },
        {
            "cellcycle_FUN.train.arff": "4c97ccf6f15b49392b3bda7fec1f601ed921746ef0b78d6fcd4c85a0424dfd66",
            "cellcycle_FUN.valid.arff": "8914f37522a484ce1790625e4993d89eed73ce4f6d667711c691a389e3a4f982",
            "cellcycle_FUN.test.arff": "2dd7798e23375743b2e31e0236d9a6cb7a73351a777efe381946105417fd1299",
        },
    ),
    "cellcycle_go": DataSet(
        "https://raw.githubusercontent.com/EGiunchiglia/C-HMCNN/e887855ab4b3b8f22e4fafc80a0a33c1d1ac0041/HMC_data/datasets_GO/cellcycle_GO/",
        {
            "train": "cellcycle_GO.train.arff",
            "validation": "cellcycle_GO.valid.arff",
            "test": "cellcycle_GO.test.arff",
        },
        {
            "cellcycle_GO.train.arff": "84b1e37e1b8db8361d77808fcd2fd565ea42fc1f4a26401a314f9d28d48a56be",
            "cellcycle_GO.valid.arff": "d0a95ce316e388231a3dd4261a39a0765aa27e7c232fe2cc302415798cd77dec",
            "cellcycle_GO.test.arff": "7fc5630e627e18b77f6531f7f4c8072813f6099872039e85091ba1ca4a9161ef",
        },
    ),
    "imclef07a": DataSet(
        "https://raw.githubusercontent.com/EGiunchiglia/C-HMCNN/e887855ab4b3b8f22e4fafc80a0a33c1d1ac0041/HMC_data/others/",
        {
            "train": "ImCLEF07A_Train.arff",
            "test": "ImCLEF07A_Test.arff",
        },
        {
            "ImCLEF07A_Train.arff": "fe240039db5272579924897bcac6c0c38b6cb117277aa49281a2ec936b01e7c9",
            "ImCLEF07A_Test.arff": "e95c33e0bc8a23be9b093bc34268404c47f304739bd73eceda58f8cbc42a90fb",
        },
    ),
}
